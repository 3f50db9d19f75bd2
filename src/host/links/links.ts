/** The links of the host (`ip link`), their addresses, and what leads over them, by iproute2. */
import { CommandError, type RunCommand } from "../command.ts";

export interface Link {
  name: string;
  mtu: number;
  /** Of Ethernet-like links. */
  mac?: string;
  isUp: boolean;
  /** As `address/length`, but for link-local ones. */
  addresses: readonly string[];
  vxlan?: VXLAN;
}

export interface VXLAN {
  vni: number;
  /** The address that tunnels begin at. */
  local: string;
  /** The name of the link that carries the tunnels. */
  over: string;
  port: number;
  /** Whether the kernel believes the sources of packets; entries of our own are all there is otherwise. */
  learning: boolean;
}

/** Undefined where there is none of that name. */
export async function readLink(run: RunCommand, name: string): Promise<Link | undefined> {
  // Of all: asked for one that is missing, the program only fails, with words for people.
  return (await readLinks(run)).find((link) => link.name === name);
}

/** The link that has the address; undefined where none has. */
export async function linkOfAddress(run: RunCommand, address: string): Promise<Link | undefined> {
  return (await readLinks(run)).find(({ addresses }) =>
    addresses.some((own) => own.split("/")[0] === address),
  );
}

async function readLinks(run: RunCommand): Promise<Link[]> {
  return parseLinks(await run("ip", ["-j", "-d", "address", "show"]));
}

interface PrintedLink {
  ifname?: string;
  mtu?: number;
  address?: string;
  flags?: string[];
  addr_info?: { local?: string; prefixlen?: number; scope?: string }[];
  linkinfo?: { info_kind?: string; info_data?: PrintedVXLAN };
}

interface PrintedVXLAN {
  id?: number;
  local?: string;
  local6?: string;
  link?: string;
  port?: number;
  learning?: boolean;
}

/** What `ip -j -d address show` printed. */
export function parseLinks(printed: string): Link[] {
  return (JSON.parse(printed || "[]") as PrintedLink[]).flatMap((link) => {
    if (!link.ifname) return [];
    const { info_kind, info_data = {} } = link.linkinfo ?? {};
    const addresses = (link.addr_info ?? []).flatMap(({ local, prefixlen, scope }) =>
      local && scope !== "link" ? [`${local}/${prefixlen}`] : [],
    );
    const { id = 0, local, local6, link: over = "", port = 0, learning = true } = info_data;
    return [
      {
        name: link.ifname,
        mtu: link.mtu ?? 0,
        mac: link.address,
        isUp: link.flags?.includes("UP") === true,
        addresses,
        vxlan:
          info_kind === "vxlan" ? { vni: id, local: local ?? local6 ?? "", over, port, learning } : undefined,
      },
    ];
  });
}

/** Lines as the program takes them after its name, in order; none runs it not. The first that fails ends it: CommandError. */
export async function applyBatch(
  run: RunCommand,
  program: "ip" | "bridge",
  lines: readonly string[],
): Promise<void> {
  if (lines.length > 0) await run(program, ["-batch", "-"], { input: `${lines.join("\n")}\n` });
}

/** Whether there was one to remove. */
export async function deleteLink(run: RunCommand, name: string): Promise<boolean> {
  if (!(await readLink(run, name))) return false;
  try {
    await run("ip", ["link", "delete", "dev", name]);
  } catch (error) {
    // Somebody else was faster.
    if (error instanceof CommandError && !(await readLink(run, name))) return false;
    throw error;
  }
  return true;
}
