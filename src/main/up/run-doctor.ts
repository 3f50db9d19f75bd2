/** What `kybern doctor` does: looks at the machine and at what runs on it, and says what is wrong and what helps. */
import { readFile } from "node:fs/promises";
import { UsageError } from "../../cli/verb.ts";
import type { DoctorRun } from "../../cli/verbs/doctor.ts";
import { type ClusterStatus, readStatus } from "../../cluster/cluster-status.ts";
import type { Layout } from "../../cluster/layout.ts";
import { runningContainerd } from "../../host/containerd/supervise-containerd.ts";
import { cannotRunContainers, type Finding, findingsOf } from "../../host/machine/findings.ts";
import { firewallFindings } from "../../host/machine/firewall-findings.ts";
import { inspectMachine } from "../../host/machine/machine.ts";
import { findBackground } from "./background.ts";
import { addressesSuit, portsOf, rangesOf } from "./prepare-machine.ts";
import { serverFinding } from "./reach-server.ts";
import { readSettings, type UpSettings } from "./settings.ts";

const CONTAINERD = "containerd";

export async function runDoctor({ layout }: DoctorRun): Promise<void> {
  const kept = await readSettings(layout);
  const obstacle = cannotRunContainers({ platform: process.platform, root: process.getuid?.() === 0 });
  const settings: UpSettings = kept ?? {
    role: "server",
    simulateNodes: obstacle === undefined ? 0 : 1,
    flags: {},
  };
  const status = await readStatus(layout.statusSocket);
  const background = await findBackground(layout);
  const machine = await inspectMachine({
    dataDir: layout.dataDir,
    // While it runs it has them itself.
    ports: status ? [] : portsOf(settings),
    containers: settings.simulateNodes === 0,
    ownPids: [],
  });
  const unreached = status && (await serverFinding(status));
  const ownRuntime =
    settings.simulateNodes === 0 && settings.flags["container-runtime-endpoint"] === undefined;
  const containerd = ownRuntime && (await runningContainerd(layout.containerd)) !== undefined;
  const findings = [
    ...findingsOf(machine, { ownRuntime, containers: settings.simulateNodes === 0 }),
    ...(settings.simulateNodes === 0 ? addressesSuit(settings) : []),
    ...(settings.simulateNodes === 0 ? await firewallFindings(rangesOf(settings)["cluster-cidr"] ?? []) : []),
    ...(unreached ? [unreached] : []),
    ...clusterFindings({
      isMade: kept !== undefined,
      isSupervised: background.supervisor !== undefined,
      status,
    }),
    ...(status && ownRuntime && !containerd && !isToldFailed(status) ? [containerdFinding(layout)] : []),
    ...(status ? [] : await lastErrors(layout, kept !== undefined)),
  ];
  for (const { level, what, fix } of findings) process.stdout.write(`${level}: ${what}.\n  ${fix}.\n`);
  if (obstacle !== undefined && settings.simulateNodes > 0)
    process.stdout.write(`note: ${obstacle}, so nodes are simulated.\n`);
  const errors = findings.filter(({ level }) => level === "error").length;
  if (errors > 0) throw new UsageError(`${errors} thing(s) to mend.`);
  process.stdout.write(findings.length === 0 ? "Nothing is wrong.\n" : "Nothing else is wrong.\n");
}

/** Of what runs, or should. Pure. */
export function clusterFindings(seen: {
  isMade: boolean;
  isSupervised: boolean;
  status: ClusterStatus | undefined;
}): Finding[] {
  const { isMade, isSupervised, status } = seen;
  if (!status) {
    if (!isMade) return [];
    const what = isSupervised ? "the program ends again and again" : "the cluster is stopped";
    return [
      {
        level: isSupervised ? "error" : "warning",
        what,
        fix: isSupervised
          ? "its last words are below; mend that, then `kybern restart`"
          : "start it with `kybern up`",
      },
    ];
  }
  const findings: Finding[] = [];
  if (!isSupervised)
    findings.push({
      level: "warning",
      what: "nothing starts the program again when it fails",
      fix: "`kybern up` gives it a supervisor again, unless you run it in the foreground on purpose",
    });
  for (const { name, state, message } of status.components) {
    if (state === "failed")
      findings.push({ level: "error", what: `${name}: ${message}`, fix: `see \`${logsOf(name)}\`` });
    if (state === "starting")
      findings.push({
        level: "warning",
        what: `${name} is still starting`,
        fix: `see \`${logsOf(name)}\``,
      });
  }
  if (status.node && !status.node.ready)
    findings.push({
      level: "error",
      what: `the node ${status.node.name} is not ready: ${status.node.message}`,
      fix: "see `kybern logs containerd --tail 50` and `kybern logs --tail 50`",
    });
  return findings;
}

function logsOf(component: string): string {
  return `kybern logs ${component === CONTAINERD ? `${CONTAINERD} ` : ""}--tail 50`;
}

function isToldFailed({ components }: ClusterStatus): boolean {
  return components.some(({ name, state }) => name === CONTAINERD && state === "failed");
}

function containerdFinding({ containerd }: Layout): Finding {
  return { level: "error", what: "containerd does not run", fix: `its log may say why: ${containerd.log}` };
}

/** What the program said last that sounds like a reason. */
async function lastErrors({ log }: Layout, isMade: boolean): Promise<Finding[]> {
  if (!isMade) return [];
  const lines = (await readFile(log, "utf8").catch(() => "")).trimEnd().split("\n").slice(-200);
  const last = lines.findLast((line) => / error |^kybern: /.test(line));
  return last === undefined
    ? []
    : [{ level: "warning", what: `it said last: ${last}`, fix: `more is in ${log}` }];
}
