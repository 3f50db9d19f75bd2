/** `kybern explain pod NAME`: why a pod has the node that it has, or none. */
import type { Pod } from "../../api/core/pods.ts";
import type { ContainerStateTerminated, ContainerStatus } from "../../api/schema/core.v1.generated.ts";
import type {
  ExplainedAttempt,
  ExplainedRejection,
  Explanation,
} from "../../scheduler/decisions/explanation.ts";
import { UsageError, type Verb } from "../verb.ts";

export interface ExplainRun {
  name: string;
  /** Undefined: that of the kubeconfig. */
  namespace: string | undefined;
  /** Undefined: $KUBECONFIG, or that of the home directory. */
  kubeconfig: string | undefined;
}

export const explainVerb: Verb<ExplainRun> = {
  name: "explain",
  summary: "Tell why a pod has its node, or per node why it has none",
  arguments: [
    { syntax: "<kind>", summary: "what to explain: pod" },
    { syntax: "<name>", summary: "its name" },
  ],
  flags: [
    { syntax: "-n, --namespace <namespace>", summary: "the pod's namespace; by default the kubeconfig's" },
    { syntax: "--kubeconfig <file>", summary: "the cluster; by default $KUBECONFIG, then ~/.kube/config" },
  ],
  examples: [["Why does this pod wait?", "kybern explain pod web-0 -n shop"]],
  parse({ namespace, kubeconfig }, [kind = "", name = ""]) {
    if (kind !== "pod" && kind !== "pods" && kind !== "po") {
      throw new UsageError(`explain knows pods, not ${JSON.stringify(kind)}.`);
    }
    if (name === "") throw new UsageError("explain needs the name of a pod.");
    return { name, namespace, kubeconfig };
  },
};

/** `pod` is undefined where there is none, `known` where no scheduler keeps decisions. `now` is in milliseconds. */
export function explainText(
  key: string,
  pod: Pod | undefined,
  known: Explanation | undefined,
  now: number,
): string {
  const lines: string[] = [];
  const attempt = known?.attempt;
  if (!pod) {
    lines.push(`There is no pod ${key}.`);
    if (attempt) lines.push("The last decision about a pod of that name:", "", ...attemptLines(attempt, now));
  } else {
    const own = attempt?.uid === pod.metadata.uid ? attempt : undefined;
    lines.push(...podLines(key, pod, known, own, now));
  }
  return `${lines.join("\n")}\n`;
}

function podLines(
  key: string,
  pod: Pod,
  known: Explanation | undefined,
  attempt: ExplainedAttempt | undefined,
  now: number,
): string[] {
  const { spec, status, metadata } = pod;
  const scheduler = spec?.schedulerName ?? "";
  if (spec?.nodeName) {
    const head = [`Pod ${key} is on node ${spec.nodeName}.`, ...troubleLines(pod, now)];
    if (attempt?.node === spec.nodeName) return [...head, "", ...attemptLines(attempt, now)];
    return [...head, known ? NOT_CHOSEN : UNKNOWN];
  }
  if (status?.phase === "Succeeded" || status?.phase === "Failed") {
    return [`Pod ${key} has ended (${status.phase}) and needs no node.`];
  }
  if (metadata.deletionTimestamp !== undefined) {
    return [`Pod ${key} is being deleted and gets no node any more.`];
  }
  if (!known) return [`Pod ${key} has no node.`, UNKNOWN];
  if (!known.profiles.includes(scheduler)) {
    return [
      `Pod ${key} has no node: it asks for the scheduler ${JSON.stringify(scheduler)}.`,
      `The one that runs here looks after ${known.profiles.join(", ")}.`,
    ];
  }
  const { queue } = known;
  if (queue?.gate && queue.attempts === 0) {
    const { reasons, advice } = queue.gate;
    const lines = [`Pod ${key} is not tried yet: ${reasons.join(", ")}.`];
    return advice ? [...lines, `  to change: ${advice}`] : lines;
  }
  const lines = [`Pod ${key} has no node.`];
  if (attempt) lines.push("", ...attemptLines(attempt, now));
  else lines.push("It was not tried yet, or the last attempt is too long ago to be known.");
  if (queue) lines.push("", nextLine(queue, now));
  return lines;
}

/** What its node says of containers that do not run as they should; nothing where all do. */
function troubleLines({ metadata, spec, status = {} }: Pod, now: number): string[] {
  const name = metadata.name ?? "";
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const flags = metadata.namespace === undefined ? "" : ` -n ${metadata.namespace}`;
  const lines = (status.initContainerStatuses ?? []).flatMap((container) =>
    container.state?.running && !sidecars.some((sidecar) => sidecar.name === container.name)
      ? [`Init container ${container.name} runs; those behind it wait for its end.`]
      : containerLines(name + flags, container, now),
  );
  lines.push(
    ...(status.containerStatuses ?? []).flatMap((container) => containerLines(name + flags, container, now)),
  );
  if (status.message) lines.unshift(`${status.reason ?? status.phase ?? ""}: ${status.message}`);
  if (lines.length === 0) return [];
  return ["", ...lines, `More may be in \`kubectl events --for pod/${name}${flags}\`.`];
}

/** `pod` with its namespace, as kubectl takes it. */
function containerLines(
  pod: string,
  { name, state = {}, lastState, ready, restartCount }: ContainerStatus,
  now: number,
): string[] {
  const { waiting, running, terminated } = state;
  if (terminated) {
    return terminated.exitCode === 0 ? [] : [`Container ${name} ${endText(terminated, now)}.`];
  }
  if (running) return ready ? [] : [`Container ${name} runs, and is not ready.`];
  const said = [waiting?.reason ?? "", waiting?.message ?? ""].filter((text) => text !== "").join(": ");
  const lines = [`Container ${name} waits${said === "" ? "" : `: ${said}`}.`];
  const last = lastState?.terminated;
  if (last) {
    const restarts = restartCount === 1 ? "1 restart" : `${restartCount} restarts`;
    lines.push(
      `  it last ${endText(last, now)}, after ${restarts}: \`kubectl logs ${pod} -c ${name} --previous\``,
    );
  }
  return lines;
}

function endText({ exitCode, reason, finishedAt, message }: ContainerStateTerminated, now: number): string {
  const when = finishedAt ? ` ${ago(finishedAt, now)}` : "";
  const words = [reason, message?.trim()].filter(Boolean).join(": ");
  return `ended${when} with ${exitCode}${words === "" ? "" : ` (${words})`}`;
}

const NOT_CHOSEN =
  "The scheduler knows of no decision: the pod named its node itself, or it came there before the scheduler was started or too long ago.";
const UNKNOWN = "No scheduler in the API server's process keeps decisions.";

function attemptLines(attempt: ExplainedAttempt, now: number): string[] {
  const { number, time, message, result, everywhere, rejected, nominated } = attempt;
  const lines = [`Attempt ${number}, ${ago(time, now)}: ${message}`];
  if (result === "scheduled") lines.push(...choiceLines(attempt));
  if (everywhere) lines.push("", "no node:", ...reasonLines(everywhere));
  for (const group of rejected) lines.push("", `${nodesText(group)}:`, ...reasonLines(group));
  if (nominated) lines.push("", `It gets node ${nominated} once the pods in its way are gone.`);
  return lines;
}

function choiceLines({ nodes, asked, fitting, top }: ExplainedAttempt): string[] {
  const counted = `Of ${nodes} nodes, ${asked} were asked and ${fitting} would do`;
  if (!top || top.length === 0) return [`${counted}.`];
  const plugins = Object.keys(top[0]?.byPlugin ?? {});
  const table = [
    ["NODE", "SCORE", ...plugins],
    ...top.map(({ node, total, byPlugin }) => [
      node,
      scoreText(total),
      ...plugins.map((plugin) => scoreText(byPlugin[plugin] ?? 0)),
    ]),
  ];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  const rows = table.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ")}`.trimEnd());
  return [`${counted}; the best:`, "", ...rows];
}

function scoreText(score: number): string {
  return String(Math.round(score * 100) / 100);
}

const MOST_NAMES = 8;

function nodesText({ count, nodes }: ExplainedRejection): string {
  const named = nodes.slice(0, MOST_NAMES).join(", ");
  const more = count - Math.min(nodes.length, MOST_NAMES);
  return `${count} ${count === 1 ? "node" : "nodes"} (${named}${more > 0 ? ` and ${more} more` : ""})`;
}

function reasonLines({
  plugin,
  reasons,
  advice,
  code,
}: Omit<ExplainedRejection, "count" | "nodes">): string[] {
  const lines = [`  ${plugin}: ${reasons.join(", ")}`];
  if (advice) lines.push(`  to change: ${advice}`);
  if (code === "unresolvable") lines.push("  evicting other pods would not help");
  return lines;
}

function nextLine({ state, gate, waitsFor, due }: NonNullable<Explanation["queue"]>, now: number): string {
  const latest = due === undefined ? "" : `${seconds(Date.parse(due) - now)} from now`;
  switch (state) {
    case "unschedulable":
      return `Tried again when something changes that may help ${waitsFor.join(", ") || "it"}, at the latest ${latest}.`;
    case "backoff":
      return `Something changed that may help: tried again as soon as no other pod waits, at the latest ${latest}.`;
    case "gated":
      return `Not tried again yet: ${gate?.reasons.join(", ")}.`;
    case "failing":
      return `Tried again ${latest}, since the attempt broke.`;
    case "inFlight":
      return "It is being tried, or bound, at this moment.";
    default:
      return "It waits for its turn.";
  }
}

function ago(time: string, now: number): string {
  return `${seconds(now - Date.parse(time))} ago`;
}

function seconds(ms: number): string {
  const all = Math.max(Math.round(ms / 1000), 0);
  return all < 120 ? `${all} s` : `${Math.round(all / 60)} min`;
}
