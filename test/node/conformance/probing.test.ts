import assert from "node:assert/strict";
import { Pod } from "../../../src/api/core/pods.ts";
import type { Container, Probe } from "../../../src/api/schema/core.v1.generated.ts";
import { until } from "../../scenario/until.ts";
import { behaviour, isReady, runningPod, shellPod, type World } from "./behaviour.ts";
import { serveHealth } from "./grpc-health.ts";

const restarts = (pod: Pod | undefined): number => pod?.status?.containerStatuses?.[0]?.restartCount ?? 0;
const FAST: Partial<Probe> = { periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 60 };
const HEALTH = { exec: { command: ["cat", "/tmp/health"] } };
/** Serves `/healthz` as long as the file is there. */
const SERVE = "mkdir -p /tmp/www; echo ok > /tmp/www/healthz; httpd -p 8080 -h /tmp/www";

async function isRestarted(world: World, command: string, container: Partial<Container>): Promise<void> {
  await runningPod(world, "probed", shellPod(command, { restartPolicy: "Always" }, container));
  const pods = world.client.resource(Pod, world.namespace);
  await until(pods, "probed", (pod) => restarts(pod) >= 1);
}

/** The probe is asked several times, as the container's own clock tells, and the container never restarted. */
async function isLeftAlone(
  world: World,
  command: string,
  container: Partial<Container>,
  seconds = 4,
): Promise<void> {
  const { client, namespace } = world;
  const lasting = `${command}; sleep ${seconds}; touch /tmp/lasted; sleep 1000`;
  const exec = { command: ["test", "-e", "/tmp/lasted"] };
  const readinessProbe = { exec, periodSeconds: 1, timeoutSeconds: 60 };
  // It is left alone from when on it is there.
  const startupProbe = { ...container.livenessProbe, initialDelaySeconds: 0, failureThreshold: 100 };
  const spec = shellPod(lasting, { restartPolicy: "Always" }, { readinessProbe, startupProbe, ...container });
  const pod = await runningPod(world, "probed", spec);
  assert.equal(restarts(pod), 0);
  assert.equal(restarts(await client.resource(Pod, namespace).get("probed")), 0);
}

behaviour(
  '[sig-node] Probing container should be restarted with a exec "cat /tmp/health" liveness probe [NodeConformance] [Conformance]',
  (world) =>
    isRestarted(world, "echo ok > /tmp/health; sleep 2; rm /tmp/health; sleep 1000", {
      livenessProbe: { ...HEALTH, ...FAST, initialDelaySeconds: 1 },
    }),
);

behaviour(
  '[sig-node] Probing container should *not* be restarted with a exec "cat /tmp/health" liveness probe [NodeConformance] [Conformance]',
  (world) =>
    isLeftAlone(world, "echo ok > /tmp/health", {
      livenessProbe: { ...HEALTH, ...FAST, initialDelaySeconds: 1 },
    }),
);

const httpGet = { path: "/healthz", port: 8080 };

behaviour(
  "[sig-node] Probing container should be restarted with a /healthz http liveness probe [NodeConformance] [Conformance]",
  (world) =>
    isRestarted(world, `${SERVE}; sleep 2; rm /tmp/www/healthz; sleep 1000`, {
      livenessProbe: { httpGet, ...FAST, initialDelaySeconds: 1 },
    }),
);

behaviour(
  "[sig-node] Probing container should *not* be restarted with a /healthz http liveness probe [NodeConformance] [Conformance]",
  (world) => isLeftAlone(world, SERVE, { livenessProbe: { httpGet, ...FAST, initialDelaySeconds: 1 } }),
);

behaviour(
  "[sig-node] Probing container should *not* be restarted with a tcp:8080 liveness probe [NodeConformance] [Conformance]",
  (world) =>
    isLeftAlone(world, `${SERVE}; rm /tmp/www/healthz`, {
      livenessProbe: { tcpSocket: { port: 8080 }, ...FAST, initialDelaySeconds: 1 },
    }),
);

behaviour(
  "[sig-node] Probing container should *not* be restarted with a GRPC liveness probe [NodeConformance] [Conformance]",
  async (world) => {
    const health = await serveHealth(world.node);
    const { client, namespace } = world;
    const livenessProbe = { grpc: { port: health.port }, ...FAST };
    const spec = shellPod("sleep 1000", { hostNetwork: true, restartPolicy: "Always" }, { livenessProbe });
    await runningPod(world, "probed", spec);
    await health.asked(4);
    assert.equal(restarts(await client.resource(Pod, namespace).get("probed")), 0);
  },
);

behaviour(
  "[sig-node] Probing container should be restarted with a GRPC liveness probe [NodeConformance] [Conformance]",
  async (world) => {
    const livenessProbe = { grpc: { port: 2333 }, ...FAST, initialDelaySeconds: 1 };
    await isRestarted(world, "sleep 1000", { livenessProbe });
  },
);

behaviour(
  "[sig-node] Probing container should have monotonically increasing restart count [NodeConformance] [Conformance]",
  async (world) => {
    const livenessProbe = { httpGet, ...FAST };
    const spec = shellPod("sleep 1000", { restartPolicy: "Always" }, { livenessProbe });
    const pods = world.client.resource(Pod, world.namespace);
    await pods.create({ metadata: { name: "probed" }, spec });
    const seen: number[] = [];
    await until(pods, "probed", (pod) => {
      seen.push(restarts(pod));
      return restarts(pod) >= 2;
    });
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => a - b),
    );
  },
);

behaviour(
  "[sig-node] Probing container with readiness probe should not be ready before initial delay and never restart [NodeConformance] [Conformance]",
  async (world) => {
    const exec = { command: ["true"] };
    const readinessProbe = { exec, initialDelaySeconds: 4, periodSeconds: 1, timeoutSeconds: 60 };
    const pod = await runningPod(world, "probed", shellPod("sleep 1000", {}, { readinessProbe }));
    const started = Date.parse(pod.status?.containerStatuses?.[0]?.state?.running?.startedAt ?? "");
    const ready = Date.parse(
      pod.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime ?? "",
    );
    assert.ok(ready - started >= 4000, `ready ${ready - started} ms after the start`);
    assert.equal(restarts(pod), 0);
  },
);

behaviour(
  "[sig-node] Probing container with readiness probe that fails should never be ready and never restart [NodeConformance] [Conformance]",
  async (world) => {
    const { client, namespace } = world;
    // Asked three times, and each time told no.
    const asked = "echo asked >> /tmp/asked; false";
    const readinessProbe = { exec: { command: ["/bin/sh", "-c", asked] }, periodSeconds: 1 };
    const command = "until test $(cat /tmp/asked 2> /dev/null | wc -l) -ge 3; do sleep 0.1; done";
    const pods = client.resource(Pod, namespace);
    await pods.create({ metadata: { name: "probed" }, spec: shellPod(command, {}, { readinessProbe }) });
    let wasReady = false;
    const pod = await until(pods, "probed", (now) => {
      wasReady ||= now !== undefined && isReady(now);
      return now?.status?.phase === "Succeeded";
    });
    assert.equal(wasReady, false);
    assert.equal(restarts(pod), 0);
  },
);
