/** The kernel's memory of connections. */
import { CommandError, type RunCommand } from "./command.ts";

/** A flow as its first packet had it, and where its answers come from. */
export interface Flow {
  source: string;
  sourcePort: number;
  destination: string;
  destinationPort: number;
  /** Not `destination` where that was translated. */
  answeredBy: string;
  answeredFromPort: number;
}

const family = (six: boolean): string[] => ["-f", six ? "ipv6" : "ipv4"];

/** All flows of UDP. Throws CommandError where the machine has no program `conntrack`. */
export async function datagramFlows(run: RunCommand, six: boolean): Promise<Flow[]> {
  const text = await run("conntrack", ["-L", "-p", "udp", ...family(six)]);
  return text.split("\n").flatMap((line) => flowOf(line) ?? []);
}

/** A flow that has ended by itself is no error. */
export async function forgetDatagramFlow(run: RunCommand, flow: Flow): Promise<void> {
  const { source, sourcePort, destination, destinationPort } = flow;
  const tuple = [
    "-s",
    source,
    "-d",
    destination,
    "--sport",
    `${sourcePort}`,
    "--dport",
    `${destinationPort}`,
  ];
  try {
    await run("conntrack", ["-D", "-p", "udp", ...family(destination.includes(":")), ...tuple]);
  } catch (error) {
    if (!(error instanceof CommandError) || error.code !== 1) throw error;
  }
}

/** `udp 17 29 src=A dst=B sport=1 dport=2 [UNREPLIED] src=C dst=D sport=3 dport=4 use=1` */
function flowOf(line: string): Flow | undefined {
  const values: Record<"src" | "dst" | "sport" | "dport", string[]> = {
    src: [],
    dst: [],
    sport: [],
    dport: [],
  };
  for (const word of line.split(" ")) {
    const [name = "", value = ""] = word.split("=");
    if (name === "src" || name === "dst" || name === "sport" || name === "dport") values[name].push(value);
  }
  const [source, answeredBy] = values.src;
  const [destination] = values.dst;
  const [sourcePort, answeredFromPort] = values.sport.map(Number);
  const [destinationPort] = values.dport.map(Number);
  if (source === undefined || answeredBy === undefined || destination === undefined) return undefined;
  if (sourcePort === undefined || answeredFromPort === undefined || destinationPort === undefined)
    return undefined;
  return { source, sourcePort, destination, destinationPort, answeredBy, answeredFromPort };
}
