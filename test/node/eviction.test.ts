/** A real node ends a pod that fills its volume, and tells how busy another is, so that an autoscaler adds pods. */
import assert from "node:assert/strict";
import test from "node:test";
import { Deployment } from "../../src/api/apps/deployment.ts";
import { HorizontalPodAutoscaler } from "../../src/api/autoscaling/horizontal-pod-autoscaler.ts";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { until } from "../scenario/until.ts";
import { cannotRunContainers } from "./harness/machine.ts";
import { startTestNode } from "./harness/test-node.ts";

const skip = cannotRunContainers;
const NS = "default";
const BUSY = "while true; do i=0; while [ $i -lt 10000 ]; do i=$((i+1)); done; sleep 0.1; done";
const FILL = "busybox dd if=/dev/zero of=/scratch/file bs=1048576 count=4; sleep 3600";

test("a node ends the pod that fills its volume, and an autoscaler goes by what the kubelet measures", {
  skip,
}, async () => {
  await using node = await startTestNode();
  const { client, images } = node;
  const pods = client.resource(Pod, NS);
  const deployments = client.resource(Deployment, NS);
  const container = (script: string) => ({
    name: "c",
    image: images.busybox,
    imagePullPolicy: "Never",
    command: ["/bin/sh", "-c", script],
  });
  await pods.create({
    metadata: { name: "full" },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ ...container(FILL), volumeMounts: [{ name: "scratch", mountPath: "/scratch" }] }],
      volumes: [{ name: "scratch", emptyDir: { sizeLimit: "1Mi" } }],
    },
  });
  const labels = { app: "busy" };
  const resources = { requests: { cpu: "10m" }, limits: { cpu: "100m" } };
  await deployments.create({
    metadata: { name: "busy" },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ ...container(BUSY), resources }] },
      },
    },
  });
  await client.resource(HorizontalPodAutoscaler, NS).create({
    metadata: { name: "busy" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "busy" },
      maxReplicas: 2,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "AverageValue", averageValue: "10m" } },
        },
      ],
    },
  });
  const [evicted, scaled] = await Promise.all([
    until(pods, "full", (pod) => pod?.status?.phase === "Failed"),
    until(deployments, "busy", (deployment) => (deployment?.status?.readyReplicas ?? 0) >= 2),
  ]);
  assert.equal(evicted?.status?.reason, "Evicted");
  assert.equal(evicted?.status?.message, 'Usage of EmptyDir volume "scratch" exceeds the limit "1Mi". ');
  assert.equal(scaled?.spec?.replicas, 2);
});
