/** The last two looks at each node and container: what was used between them is what is told. */
import type { MeasuredNode, MeasuredPod, MetricsSource, Usage } from "../../api/metrics/metrics-source.ts";
import type { ContainerPoint, NodePoints, Point } from "./read-resource-metrics.ts";

interface Pair<P extends Point = Point> {
  last: P;
  before: Pick<Point, "at" | "cpu"> | undefined;
}

interface NodeLooks {
  node: Pair | undefined;
  /** By namespace and pod, then by container. */
  pods: Map<string, Map<string, Pair<ContainerPoint>>>;
}

/** Milliseconds: less than this a container that has just begun says nothing of what it will use. */
const FRESH = 10_000;
/** A container that was not seen before, and is older, ran for too long for an average to be of now. */
const NOT_FRESH = 60_000;

export class UsageStore implements MetricsSource {
  private readonly looks = new Map<string, NodeLooks>();
  /** The node of each pod, by namespace and name. */
  private readonly places = new Map<string, string>();

  /** What a node told of itself just now. */
  add(name: string, { node, containers }: NodePoints): void {
    const known = this.looks.get(name);
    const looks: NodeLooks = { node: node && next(known?.node, node), pods: new Map() };
    for (const point of containers) {
      const key = `${point.namespace}/${point.pod}`;
      let pod = looks.pods.get(key);
      if (!pod) {
        pod = new Map();
        looks.pods.set(key, pod);
        this.places.set(key, name);
      }
      const pair = next(known?.pods.get(key)?.get(point.name), point);
      // The same name may be another container by now: what the last one used is not its use.
      if (pair.before && point.startedAt > pair.before.at) pair.before = sinceStart(point);
      else pair.before ??= sinceStart(point);
      pod.set(point.name, pair);
    }
    this.looks.set(name, looks);
    for (const key of known?.pods.keys() ?? []) {
      if (!looks.pods.has(key) && this.places.get(key) === name) this.places.delete(key);
    }
  }

  /** The node is no more, or cannot be asked: what it told is of the past. */
  remove(name: string): void {
    for (const key of this.looks.get(name)?.pods.keys() ?? []) {
      if (this.places.get(key) === name) this.places.delete(key);
    }
    this.looks.delete(name);
  }

  names(): Iterable<string> {
    return [...this.looks.keys()];
  }

  node(name: string): MeasuredNode | undefined {
    const pair = this.looks.get(name)?.node;
    const usage = pair && usageOf(pair);
    return usage && { name, ...usage, ...timesOf(pair) };
  }

  *nodes(): Iterable<MeasuredNode> {
    for (const name of [...this.looks.keys()].sort()) {
      const measured = this.node(name);
      if (measured) yield measured;
    }
  }

  pod(namespace: string, name: string): MeasuredPod | undefined {
    return this.measured(`${namespace}/${name}`);
  }

  *pods(namespace: string): Iterable<MeasuredPod> {
    const prefix = `${namespace}/`;
    const keys = [...this.places.keys()].filter((key) => namespace === "" || key.startsWith(prefix));
    for (const key of keys.sort()) {
      const measured = this.measured(key);
      if (measured) yield measured;
    }
  }

  /** Undefined where any container was not looked at twice: a part of a pod's use would be taken for all of it. */
  private measured(key: string): MeasuredPod | undefined {
    const pod = this.looks.get(this.places.get(key) ?? "")?.pods.get(key);
    if (!pod) return undefined;
    const containers: (Usage & { name: string })[] = [];
    let latest: Pair<ContainerPoint> | undefined;
    for (const [name, pair] of pod) {
      const usage = usageOf(pair);
      if (!usage) return undefined;
      containers.push({ name, ...usage });
      if (!latest || pair.last.at > latest.last.at) latest = pair;
    }
    if (!latest) return undefined;
    const { namespace, pod: name } = latest.last;
    return { namespace, name, containers, ...timesOf(latest) };
  }
}

/** A look that is no newer than the last one takes its place alone. */
function next<P extends Point>(known: Pair<P> | undefined, point: P): Pair<P> {
  if (!known) return { last: point, before: undefined };
  return point.at > known.last.at ? { last: point, before: known.last } : known;
}

function sinceStart({ at, startedAt }: ContainerPoint): Pick<Point, "at" | "cpu"> | undefined {
  const age = at - startedAt;
  return startedAt > 0 && age >= FRESH && age <= NOT_FRESH ? { at: startedAt, cpu: 0 } : undefined;
}

function usageOf({ last, before }: Pair): Usage | undefined {
  if (!before || last.at <= before.at || last.cpu < before.cpu) return undefined;
  return { cpu: ((last.cpu - before.cpu) * 1000) / (last.at - before.at), memory: last.memory };
}

function timesOf({ last, before }: Pair): { at: number; window: number } {
  return { at: last.at, window: last.at - (before?.at ?? last.at) };
}
