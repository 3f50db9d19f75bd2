/** What the server fills in where a pod says nothing. The stored object holds the result. */
import { put } from "../../../machinery/json/json-object.ts";
import type {
  Container,
  EphemeralContainer,
  HTTPGetAction,
  Lifecycle,
  Pod,
  PodSpec,
  PodTemplateSpec,
  Probe,
} from "../../schema/core.v1.generated.ts";
import { pullPolicyOf } from "./pull-policy.ts";
import { setQuantityPrecision } from "./quantities.ts";
import { aggregateContainerRequests, isPodLevelResource } from "./requests.ts";
import { setVolumeDefaults } from "./volume-defaults.ts";

type AnyContainer = Container | EphemeralContainer;

/** Defaults of a whole pod: those of its spec, and what only a pod gets, not a template. */
export function setPodDefaults(pod: Pod): void {
  const spec = pod.spec;
  if (!spec) return;
  setPodSpecDefaults(spec);
  spec.enableServiceLinks ??= true;
  for (const container of spec.containers) requestWhatIsLimited(container);
  if (spec.initContainers) for (const container of spec.initContainers) requestWhatIsLimited(container);
  setPodLevelRequests(spec);
  if (spec.hostNetwork) {
    for (const container of spec.containers) setHostPorts(container);
    if (spec.initContainers) for (const container of spec.initContainers) setHostPorts(container);
  }
  setPodIPDefaults(pod);
}

/** Defaults of a template, which workload kinds keep. */
export function setPodTemplateDefaults(template: PodTemplateSpec): void {
  if (template.spec) setPodSpecDefaults(template.spec);
}

export function setPodSpecDefaults(spec: PodSpec): void {
  // A manifest may lack the list; validation then says that it is required.
  spec.containers ??= [];
  spec.restartPolicy ||= "Always";
  spec.terminationGracePeriodSeconds ??= 30;
  spec.dnsPolicy ||= "ClusterFirst";
  spec.schedulerName ||= "default-scheduler";
  spec.securityContext ??= {};
  // `serviceAccount` is the deprecated spelling; both are kept equal.
  const account = spec.serviceAccountName || spec.serviceAccount;
  if (account) {
    spec.serviceAccountName = account;
    spec.serviceAccount = account;
  }
  for (const container of spec.containers) setContainerDefaults(container);
  if (spec.initContainers) for (const container of spec.initContainers) setContainerDefaults(container);
  if (spec.ephemeralContainers) {
    for (const container of spec.ephemeralContainers) setContainerDefaults(container);
  }
  if (spec.volumes) for (const volume of spec.volumes) setVolumeDefaults(volume);
  if (spec.overhead) setQuantityPrecision(spec.overhead);
}

export function setContainerDefaults(container: AnyContainer): void {
  container.imagePullPolicy ||= pullPolicyOf(container.image ?? "");
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  container.resources ??= {};
  if (container.resources.limits) setQuantityPrecision(container.resources.limits);
  if (container.resources.requests) setQuantityPrecision(container.resources.requests);
  if (container.ports) for (const port of container.ports) port.protocol ||= "TCP";
  if (container.env) {
    for (const { valueFrom } of container.env) {
      if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= "v1";
      if (valueFrom?.fileKeyRef) valueFrom.fileKeyRef.optional ??= false;
      if (valueFrom?.resourceFieldRef) valueFrom.resourceFieldRef.divisor ??= "0";
    }
  }
  if (container.livenessProbe) setProbeDefaults(container.livenessProbe);
  if (container.readinessProbe) setProbeDefaults(container.readinessProbe);
  if (container.startupProbe) setProbeDefaults(container.startupProbe);
  if (container.lifecycle) setLifecycleDefaults(container.lifecycle);
}

function setLifecycleDefaults(lifecycle: Lifecycle): void {
  if (lifecycle.postStart?.httpGet) setHTTPGetDefaults(lifecycle.postStart.httpGet);
  if (lifecycle.preStop?.httpGet) setHTTPGetDefaults(lifecycle.preStop.httpGet);
}

function setProbeDefaults(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.httpGet) setHTTPGetDefaults(probe.httpGet);
  if (probe.grpc) probe.grpc.service ??= "";
}

function setHTTPGetDefaults(get: HTTPGetAction): void {
  get.path ||= "/";
  get.scheme ||= "HTTP";
}

/** A limit without a request asks for the limit. */
function requestWhatIsLimited(container: Container): void {
  const resources = container.resources;
  if (!resources?.limits) return;
  const { limits } = resources;
  resources.requests ??= {};
  const { requests } = resources;
  for (const name of Object.keys(limits)) {
    if (!Object.hasOwn(requests, name)) put(requests, name, limits[name] as string);
  }
}

/** With pod-level limits, what the pod leaves open is what its containers ask for together, or else the limit. */
function setPodLevelRequests(spec: PodSpec): void {
  const limits = spec.resources?.limits;
  if (!spec.resources || !limits || Object.keys(limits).length === 0) return;
  const requests: Record<string, string> = { ...spec.resources.requests };
  for (const [name, quantity] of aggregateContainerRequests(spec)) {
    if (Object.hasOwn(requests, name) || !isPodLevelResource(name) || name.startsWith("hugepages-")) continue;
    put(requests, name, quantity);
  }
  for (const name of Object.keys(limits)) {
    if (!Object.hasOwn(requests, name) && isPodLevelResource(name))
      put(requests, name, limits[name] as string);
  }
  if (Object.keys(requests).length > 0) spec.resources.requests = requests;
}

function setHostPorts(container: Container): void {
  if (!container.ports) return;
  for (const port of container.ports) if (!port.hostPort) port.hostPort = port.containerPort;
}

/** `podIP` is the first of `podIPs`; where they differ, the older field counts. */
export function setPodIPDefaults(pod: Pod): void {
  const status = pod.status;
  if (!status) return;
  const first = status.podIPs?.[0]?.ip;
  if (status.podIP) {
    if (first !== status.podIP) status.podIPs = [{ ip: status.podIP }];
  } else if (first) status.podIP = first;
}
