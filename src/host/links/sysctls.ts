/** Settings of the kernel below /proc/sys, and what they were before. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Parts of a path, as names of links have dots: `["net", "ipv4", "conf", "eth0.5", "rp_filter"]`. */
export type SysctlName = readonly string[];

export interface Sysctls {
  /** Undefined where this kernel has no such setting. */
  read(name: SysctlName): Promise<string | undefined>;
  /** Writes only what differs. Throws where the kernel refuses. */
  set(name: SysctlName, value: string): Promise<void>;
  /** Puts back what `set` found, of former lives of this process too, and forgets it. Links that are gone are passed over. */
  restore(): Promise<void>;
}

/** `record` is a file that keeps what was before; it belongs where a reboot empties, as the settings do not live longer. */
export function openSysctls(record: string, root = "/proc/sys"): Sysctls {
  const pathOf = (name: SysctlName): string => join(root, ...name);
  const recorded = async (): Promise<Map<string, string>> => {
    const text = await readOrNothing(record);
    try {
      return new Map(JSON.parse(text || "[]") as [string, string][]);
    } catch {
      // A machine that went down while it was written has other settings by now anyway.
      return new Map();
    }
  };
  const read = async (name: SysctlName): Promise<string | undefined> =>
    (await readOrNothing(pathOf(name)))?.trim();
  const write = async (name: SysctlName, value: string): Promise<void> => {
    const was = await read(name);
    if (was === value) return;
    const path = pathOf(name);
    const before = await recorded();
    if (was !== undefined && !before.has(path)) {
      before.set(path, was);
      await mkdir(dirname(record), { recursive: true, mode: 0o700 });
      await writeFile(record, JSON.stringify([...before]));
    }
    await writeFile(path, value);
  };
  // One at a time: all are in one record.
  let last: Promise<unknown> = Promise.resolve();
  return {
    read,
    set(name, value) {
      const written = last.then(() => write(name, value));
      last = written.catch(() => {});
      return written;
    },
    async restore() {
      for (const [path, was] of [...(await recorded())].reverse()) {
        if ((await readOrNothing(path)) !== undefined) await writeFile(path, was);
      }
      if ((await readOrNothing(record)) !== undefined) await writeFile(record, "[]");
    },
  };
}

async function readOrNothing(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
