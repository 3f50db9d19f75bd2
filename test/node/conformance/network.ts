/** Servers and clients as pods of busybox. */
import type { Pod } from "../../../src/api/core/pods.ts";
import { Service } from "../../../src/api/core/services.ts";
import { EndpointSlice } from "../../../src/api/discovery/endpoint-slice.ts";
import type { Container, PodSpec, ServiceSpec } from "../../../src/api/schema/core.v1.generated.ts";
import { SOCAT } from "../harness/test-node.ts";
import { outputOf, runningPod, shell, shellPod, type World } from "./behaviour.ts";

/** Answers HTTP with the pod's name, as soon as it is ready. */
export function httpServer(port = 80, name = "main"): Container {
  const command = `mkdir -p /www/${port}; hostname > /www/${port}/index.html; exec httpd -f -p ${port} -h /www/${port}`;
  const readinessProbe = { tcpSocket: { port }, periodSeconds: 1 };
  return shell(command, { name, readinessProbe, ports: [{ containerPort: port }] });
}

/** Answers each datagram with the pod's name. */
export function udpServer(port: number, name = "udp"): Container {
  return shell(`exec socat UDP-RECVFROM:${port},fork SYSTEM:hostname`, {
    name,
    image: SOCAT,
    ports: [{ containerPort: port, protocol: "UDP" }],
  });
}

export function serve(
  world: World,
  name: string,
  labels: Record<string, string>,
  containers = [httpServer()],
): Promise<Pod> {
  return runningPod(world, name, { terminationGracePeriodSeconds: 0, containers }, labels);
}

export async function makeService(
  { client, namespace }: World,
  name: string,
  spec: ServiceSpec,
): Promise<Service> {
  return client.resource(Service, namespace).create({ metadata: { name }, spec });
}

/** What a pod gets to its end from a line of the shell; `here`: on the node's own network. */
export function ask(world: World, command: string, more: Partial<PodSpec> = {}): Promise<string> {
  return outputOf(world, shellPod(command, more));
}

/** The same where the line asks by socat. */
export function askBySocat(world: World, command: string, more: Partial<PodSpec> = {}): Promise<string> {
  return outputOf(world, shellPod(command, more, { image: SOCAT }));
}

export const ON_NODE: Partial<PodSpec> = { hostNetwork: true };

/** A line of the shell that asks until it is answered, ten seconds long: rules reach the kernel when they do. */
export function get(url: string): string {
  return `i=0; until timeout 2 wget -q -O - ${url}; do i=$((i+1)); test $i -lt 50 || exit 1; sleep 0.2; done`;
}

/** A line of the shell that asks by a datagram, as often as it takes. */
export function getUDP(address: string): string {
  return `i=0; until echo | socat -T 1 - UDP:${address} | grep .; do i=$((i+1)); test $i -lt 50 || exit 1; sleep 0.2; done`;
}

/** Asks many times, and says who answered, each once. */
export function whoAnswers(url: string, times = 20): string {
  return `${get(url)} > /dev/null; for i in $(seq ${times}); do timeout 2 wget -q -O - ${url} || echo nobody; done | sort -u`;
}

/** Waits until the addresses behind a Service are exactly those of the pods. */
export async function untilEndpoints(
  { client, namespace }: World,
  service: string,
  count: number,
): Promise<void> {
  const slices = client.resource(EndpointSlice, namespace);
  const seen = new Map<string, number>();
  const events = slices.watch({
    labelSelector: `kubernetes.io/service-name=${service}`,
    sendInitialEvents: true,
    resourceVersionMatch: "NotOlderThan",
    allowWatchBookmarks: true,
  });
  for await (const { type, object } of events) {
    if (type === "BOOKMARK") continue;
    const ready = (object.endpoints ?? []).filter(({ conditions }) => conditions?.ready !== false);
    seen.set(object.metadata.name!, type === "DELETED" ? 0 : ready.length);
    if ([...seen.values()].reduce((sum, each) => sum + each, 0) === count) return;
  }
}
