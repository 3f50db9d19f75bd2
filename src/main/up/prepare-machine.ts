/** Looks whether the machine can be a node, and has it get what it lacks. */
import { UsageError } from "../../cli/verb.ts";
import type { Layout } from "../../cluster/layout.ts";
import { addressFindings } from "../../host/machine/address-findings.ts";
import { nodeAddresses } from "../../host/machine/addresses.ts";
import { type Finding, findingsOf, isDebian } from "../../host/machine/findings.ts";
import { firewallFindings } from "../../host/machine/firewall-findings.ts";
import { installPackages } from "../../host/machine/install-packages.ts";
import { inspectMachine, type Machine, type TakenPort } from "../../host/machine/machine.ts";
import type { UpSettings } from "./settings.ts";

/** One line for each thing that was done. */
export type Say = (line: string) => void;

/** Throws UsageError where the machine cannot be what it shall be. */
export async function prepareMachine(layout: Layout, settings: UpSettings, say: Say): Promise<Machine> {
  const containers = settings.simulateNodes === 0;
  const inspect = (): Promise<Machine> =>
    inspectMachine({ dataDir: layout.dataDir, ports: portsOf(settings), containers, ownPids: [] });
  const ownRuntime = containers && settings.flags["container-runtime-endpoint"] === undefined;
  let machine = await inspect();
  let findings = findingsOf(machine, { ownRuntime, containers });
  const packages = findings.flatMap((finding) => finding.packages ?? []);
  if (packages.length > 0 && isDebian(machine.distribution)) {
    say(`Installing ${packages.join(", ")} with apt-get, which containers need…`);
    await installPackages(packages);
    machine = await inspect();
    findings = findingsOf(machine, { ownRuntime, containers });
  }
  if (containers) {
    const ranges = rangesOf(settings);
    const firewall = await firewallFindings(ranges["cluster-cidr"] ?? []);
    findings = [...findings, ...addressesSuit(settings), ...firewall];
  }
  const errors = findings.filter(({ level }) => level === "error");
  if (errors.length > 0) throw new UsageError(told(errors));
  for (const { what, fix } of findings) say(`Warning: ${what}: ${fix}.`);
  return machine;
}

function told(errors: readonly Finding[]): string {
  if (errors.length === 1) return `${errors[0]!.what}: ${errors[0]!.fix}.`;
  return [
    "this machine is not ready for a cluster:",
    ...errors.map(({ what, fix }) => `  - ${what}: ${fix}.`),
  ].join("\n");
}

/** Whether the machine's addresses and the networks of its cluster go together; an agent learns those from its server. */
export function addressesSuit(settings: UpSettings): Finding[] {
  const given = settings.flags["node-ip"];
  const addresses = given === undefined ? nodeAddresses() : [given];
  return addressFindings(addresses, settings.role === "server" ? rangesOf(settings) : {});
}

/** The networks of pods and Services, by the flags that say them. */
export function rangesOf({ flags }: UpSettings): Record<string, string[]> {
  return {
    "cluster-cidr": (flags["cluster-cidr"] ?? "10.244.0.0/16").split(","),
    "service-cluster-ip-range": (flags["service-cluster-ip-range"] ?? "10.96.0.0/12").split(","),
  };
}

/** Those that must be free for the program to be started. */
export function portsOf({ role, flags, simulateNodes }: UpSettings): TakenPort[] {
  const of = (name: string, fallback: number): number => Number(flags[name] ?? fallback);
  const ports: TakenPort[] = [];
  if (role === "server")
    ports.push({ port: of("secure-port", 6443), purpose: "the API server (--secure-port)" });
  if (simulateNodes === 0)
    ports.push({ port: of("kubelet-port", 10250), purpose: "the kubelet (--kubelet-port)" });
  return ports;
}

/** In a line. */
export function machineText({ distribution, kernel, cgroups, cpus, memoryBytes }: Machine): string {
  const groups = cgroups ? `, cgroup v${cgroups.version}` : "";
  return `${distribution.name}, kernel ${kernel}${groups}, ${cpus} CPUs, ${(memoryBytes / 2 ** 30).toFixed(0)} GiB`;
}
