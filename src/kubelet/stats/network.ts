/** What went over the interfaces of a network namespace, from /proc/<pid>/net/dev. */

export interface InterfaceCounters {
  name: string;
  rxBytes: number;
  rxPackets: number;
  rxErrors: number;
  rxDropped: number;
  txBytes: number;
  txPackets: number;
  txErrors: number;
  txDropped: number;
}

/** Interfaces that carry nothing to or from the outside are left out. */
const INNER = /^(lo|veth|docker|nerdctl|ifb|dummy|kube-ipvs|nodelocaldns|sit|ip6tnl|tunl)/;

export function parseInterfaces(text: string): InterfaceCounters[] {
  return text.split("\n").flatMap((line) => {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim();
    if (colon < 0 || INNER.test(name)) return [];
    const [
      rxBytes = 0,
      rxPackets = 0,
      rxErrors = 0,
      rxDropped = 0,
      ,
      ,
      ,
      ,
      txBytes = 0,
      txPackets = 0,
      txErrors = 0,
      txDropped = 0,
    ] = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    return [{ name, rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped }];
  });
}

/** The one that stands for all: `eth0`, else the first. */
export function mainInterface<T extends { name: string }>(interfaces: readonly T[]): T | undefined {
  return interfaces.find(({ name }) => name === "eth0") ?? interfaces[0];
}
