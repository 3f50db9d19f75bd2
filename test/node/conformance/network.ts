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

/** A line of the shell that asks until it is answered, as long as the test has: rules reach the kernel when they do. */
export function get(url: string): string {
  return `until timeout 2 wget -q -O - ${url}; do sleep 0.2; done`;
}

/** A line of the shell that asks by a datagram, as often as it takes. */
export function getUDP(address: string): string {
  return `until echo | socat -T 1 - UDP:${address} | grep .; do sleep 0.2; done`;
}

/** Asks many times over until all that is said is by these, and something by each. */
export function untilAnsweredBy(url: string, ...names: string[]): string {
  const answers = `for i in $(seq 20); do timeout 10 wget -q -O - ${url} || echo nobody; done | sort -u`;
  return `until ${answers} > /tmp/who; test "$(xargs < /tmp/who)" = "${names.join(" ")}"; do :; done; cat /tmp/who`;
}

/** Asks until thirty in a row are answered, by so many; says by whom. */
export function untilAnswerers(url: string, count: number): string {
  const answers = `for i in $(seq 30); do timeout 10 wget -q -O - ${url} || echo nobody; done | sort -u`;
  return `until ${answers} > /tmp/who; test $(grep -c web /tmp/who) = ${count} && ! grep -q nobody /tmp/who; do :; done; cat /tmp/who`;
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
