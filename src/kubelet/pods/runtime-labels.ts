/**
 * What the kubelet writes on sandboxes and containers, so that the next kubelet, upstream's too, knows them again: the
 * names are upstream's.
 */
import type { Container, LifecycleHandler, Pod } from "../../api/schema/core.v1.generated.ts";
import { containerHash } from "./config/container-hash.ts";

export const POD_NAME = "io.kubernetes.pod.name";
export const POD_NAMESPACE = "io.kubernetes.pod.namespace";
export const POD_UID = "io.kubernetes.pod.uid";
export const CONTAINER_NAME = "io.kubernetes.container.name";

const HASH = "io.kubernetes.container.hash";
const RESTART_COUNT = "io.kubernetes.container.restartCount";
const MESSAGE_PATH = "io.kubernetes.container.terminationMessagePath";
const MESSAGE_POLICY = "io.kubernetes.container.terminationMessagePolicy";
const PRE_STOP = "io.kubernetes.container.preStopHandler";
const PORTS = "io.kubernetes.container.ports";
const DELETION_GRACE = "io.kubernetes.pod.deletionGracePeriod";
const TERMINATION_GRACE = "io.kubernetes.pod.terminationGracePeriod";

type Pairs = [string, string][];

export function sandboxLabels({ metadata }: Pod): Pairs {
  const { labels = {}, name = "", namespace = "", uid = "" } = metadata;
  return [...Object.entries(labels), [POD_NAME, name], [POD_NAMESPACE, namespace], [POD_UID, uid]];
}

export function sandboxAnnotations({ metadata: { annotations = {} } }: Pod): Pairs {
  return Object.entries(annotations);
}

export function containerLabels({ metadata }: Pod, container: Container): Pairs {
  const { name = "", namespace = "", uid = "" } = metadata;
  return [
    [POD_NAME, name],
    [POD_NAMESPACE, namespace],
    [POD_UID, uid],
    [CONTAINER_NAME, container.name],
  ];
}

export function containerAnnotations(pod: Pod, container: Container, restartCount: number): Pairs {
  const { terminationMessagePath = "", terminationMessagePolicy = "", lifecycle, ports } = container;
  const pairs: Pairs = [
    [HASH, containerHash(container)],
    [RESTART_COUNT, String(restartCount)],
    [MESSAGE_PATH, terminationMessagePath],
    [MESSAGE_POLICY, terminationMessagePolicy],
  ];
  const { deletionGracePeriodSeconds } = pod.metadata;
  const grace = pod.spec?.terminationGracePeriodSeconds;
  if (deletionGracePeriodSeconds !== undefined)
    pairs.push([DELETION_GRACE, String(deletionGracePeriodSeconds)]);
  if (grace !== undefined) pairs.push([TERMINATION_GRACE, String(grace)]);
  if (lifecycle?.preStop) pairs.push([PRE_STOP, JSON.stringify(lifecycle.preStop)]);
  if (ports?.length) pairs.push([PORTS, JSON.stringify(ports)]);
  return pairs;
}

/** What a container's annotations say of it. */
export interface ContainerMarks {
  hash: string;
  restartCount: number;
  terminationMessagePath: string;
  terminationMessagePolicy: string;
  /** For containers whose pod is no longer known. */
  preStop?: LifecycleHandler;
  terminationGraceSeconds?: number;
}

export function readContainerMarks(annotations: ReadonlyMap<string, string>): ContainerMarks {
  const grace = annotations.get(DELETION_GRACE) ?? annotations.get(TERMINATION_GRACE);
  const preStop = parsed(annotations.get(PRE_STOP));
  return {
    hash: annotations.get(HASH) ?? "",
    restartCount: Number(annotations.get(RESTART_COUNT) ?? 0) || 0,
    terminationMessagePath: annotations.get(MESSAGE_PATH) ?? "",
    terminationMessagePolicy: annotations.get(MESSAGE_POLICY) ?? "",
    ...(preStop ? { preStop } : {}),
    ...(grace === undefined ? {} : { terminationGraceSeconds: Number(grace) || 0 }),
  };
}

function parsed(text: string | undefined): LifecycleHandler | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as LifecycleHandler;
  } catch {
    return undefined;
  }
}
