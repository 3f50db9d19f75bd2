/** Follows the folder of static pods: a file each, YAML or JSON. A file that cannot be read leaves its pod as it was. */
import { type FSWatcher, watch } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { posix } from "node:path";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import { readStaticPod } from "./static-pod.ts";

export interface StaticPodsOptions {
  directory: string;
  nodeName: string;
  clock: Clock;
  /** All there are, each time that any changed. */
  changed(pods: readonly Pod[]): void;
  log(level: "warn", text: string, facts: Record<string, unknown>): void;
}

export interface StaticPods {
  stop(): void;
}

/** Files are often written in several steps. */
const SETTLE = 100;

/** Resolves when the folder was read for the first time. */
export async function followStaticPods(options: StaticPodsOptions): Promise<StaticPods> {
  const { directory, clock, log } = options;
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const known = new Map<string, { text: string; pod: Pod }>();
  let cancel = (): void => {};
  let reading: Promise<void> = Promise.resolve();
  const read = (): Promise<void> => {
    reading = reading
      .then(() => readFolder(options, known))
      .catch((error: unknown) =>
        log("warn", "the folder of static pods could not be read", { directory, error: String(error) }),
      );
    return reading;
  };
  const watcher: FSWatcher = watch(directory, () => {
    cancel();
    cancel = clock.setTimer(SETTLE, () => void read());
  });
  watcher.on("error", (error) =>
    log("warn", "the folder of static pods is not followed any more", { directory, error: String(error) }),
  );
  await read();
  return {
    stop() {
      cancel();
      watcher.close();
    },
  };
}

async function readFolder(
  { directory, nodeName, clock, changed, log }: StaticPodsOptions,
  known: Map<string, { text: string; pod: Pod }>,
): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => name);
  let differs = false;
  for (const name of [...known.keys()]) {
    if (names.includes(name)) continue;
    known.delete(name);
    differs = true;
  }
  for (const name of names.sort()) {
    const path = posix.join(directory, name);
    try {
      const body = await readFile(path);
      const text = body.toString();
      if (known.get(name)?.text === text) continue;
      const seen = new Date(clock.now()).toISOString();
      known.set(name, { text, pod: readStaticPod(body, path, nodeName, seen) });
      differs = true;
    } catch (error) {
      log("warn", "a static pod could not be read", { path, error: String(error) });
    }
  }
  if (differs) changed([...known.values()].map(({ pod }) => pod));
}
