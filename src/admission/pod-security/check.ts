/** What the checks of the Pod Security Standards have in common. */
import type {
  Container,
  EphemeralContainer,
  PodSpec,
  SecurityContext,
} from "../../api/schema/core.v1.generated.ts";

export interface PodMeta {
  annotations?: Record<string, string>;
}

/** What is wrong with a pod by one check. */
export interface Violation {
  reason: string;
  detail: string;
}

export interface Check {
  id: string;
  level: "baseline" | "restricted";
  /** The minor version of Kubernetes 1 from which on it holds. */
  since: number;
  /** A restricted check that says all this baseline check says. */
  overrides?: string;
  check(spec: PodSpec, metadata: PodMeta, minor: number): Violation | undefined;
}

export type AnyContainer = Container | EphemeralContainer;

/** Every container of every list: init containers, containers, ephemeral containers. */
export function containersOf({ initContainers, containers, ephemeralContainers }: PodSpec): AnyContainer[] {
  return [...(initContainers ?? []), ...containers, ...(ephemeralContainers ?? [])];
}

/** The names of the containers of whose security context `bad` holds. */
export function containersWhere(
  spec: PodSpec,
  bad: (context: SecurityContext | undefined, container: AnyContainer) => boolean,
): string[] {
  return containersOf(spec)
    .filter((container) => bad(container.securityContext, container))
    .map(({ name }) => name);
}

export function plural(one: string, many: string, count: number): string {
  return count === 1 ? one : many;
}

export function quotedList(items: Iterable<string>): string {
  return [...items].map((item) => JSON.stringify(item)).join(", ");
}

/** `container "a"` or `containers "a", "b"`. */
export function containerList(names: readonly string[]): string {
  return `${plural("container", "containers", names.length)} ${quotedList(names)}`;
}

/** `pod and container "a"`. */
export function setters(pod: boolean, containers: readonly string[]): string {
  const all = pod ? ["pod"] : [];
  if (containers.length > 0) all.push(containerList(containers));
  return all.join(" and ");
}

export function sorted(items: Iterable<string>): string[] {
  return [...new Set(items)].sort();
}

/** From 1.25 on what Windows has not is not asked of pods for Windows. */
export function isWindows({ os }: PodSpec, minor: number): boolean {
  return minor >= 25 && os?.name === "windows";
}

/** From 1.35 on a pod in a user namespace of its own may be root in it. */
export function hasOwnUsers({ hostUsers }: PodSpec, minor: number): boolean {
  return minor >= 35 && hostUsers === false;
}
