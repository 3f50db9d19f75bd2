/** Reads what kubelets tell at /metrics/resource (Prometheus' text form). */

/** Nanoseconds of a core in all, and bytes. */
export interface Point {
  /** Milliseconds since 1970. */
  at: number;
  cpu: number;
  memory: number;
}

export interface ContainerPoint extends Point {
  namespace: string;
  pod: string;
  name: string;
  /** When the container was started; 0 where it is not told. */
  startedAt: number;
}

export interface NodePoints {
  node: Point | undefined;
  containers: ContainerPoint[];
}

const NANOSECONDS = 1e9;

/** Series that are incomplete are left out; `now` stands for times that are not told. */
export function readResourceMetrics(text: string, now: number): NodePoints {
  const node: Partial<Point> = {};
  const containers = new Map<string, Partial<ContainerPoint>>();
  for (let start = 0; start < text.length; ) {
    let end = text.indexOf("\n", start);
    if (end < 0) end = text.length;
    const line = text.slice(start, end);
    start = end + 1;
    if (line === "" || line.charCodeAt(0) === 35) continue;
    const brace = line.indexOf("{");
    const space = line.indexOf(" ");
    const name = line.slice(0, brace >= 0 && brace < space ? brace : space);
    const field = FIELDS.get(name);
    if (!field) continue;
    const close = brace >= 0 ? line.lastIndexOf("}") : -1;
    const [value = "", at] = line
      .slice(close >= 0 ? close + 1 : space)
      .trim()
      .split(" ");
    const amount = Number(value);
    if (!Number.isFinite(amount)) continue;
    const taken = field === "startedAt" ? {} : { at: at === undefined ? now : Number(at) };
    const figure = { [field]: amount * (SCALES[field] ?? 1), ...taken };
    if (name.startsWith("node_")) Object.assign(node, figure);
    else {
      const labels = readLabels(line.slice(brace + 1, close));
      const [namespace = "", pod = "", container = ""] = ["namespace", "pod", "container"].map((each) =>
        labels.get(each),
      );
      const key = `${namespace}/${pod}/${container}`;
      const known = containers.get(key);
      if (known) Object.assign(known, figure);
      else containers.set(key, { namespace, pod, name: container, startedAt: 0, ...figure });
    }
  }
  return {
    node: isWhole(node) ? node : undefined,
    containers: [...containers.values()].filter(isWhole) as ContainerPoint[],
  };
}

type Figure = "cpu" | "memory" | "startedAt";

const FIELDS: ReadonlyMap<string, Figure> = new Map([
  ["node_cpu_usage_seconds_total", "cpu"],
  ["node_memory_working_set_bytes", "memory"],
  ["container_cpu_usage_seconds_total", "cpu"],
  ["container_memory_working_set_bytes", "memory"],
  ["container_start_time_seconds", "startedAt"],
]);
const SCALES: Partial<Record<Figure, number>> = { cpu: NANOSECONDS, startedAt: 1000 };

function isWhole(point: Partial<Point>): point is Point {
  return point.cpu !== undefined && point.memory !== undefined && point.at !== undefined;
}

/** `name="value",…`, in which values may be escaped. */
function readLabels(text: string): Map<string, string> {
  const labels = new Map<string, string>();
  for (let at = 0; at < text.length; ) {
    const equals = text.indexOf('="', at);
    if (equals < 0) break;
    const name = text.slice(at, equals);
    let value = "";
    at = equals + 2;
    for (; at < text.length && text[at] !== '"'; at++) {
      if (text[at] !== "\\") value += text[at];
      else value += text[++at] === "n" ? "\n" : (text[at] ?? "");
    }
    labels.set(name, value);
    // Behind the quote and the comma.
    at += 2;
  }
  return labels;
}
