import assert from "node:assert/strict";
import test from "node:test";
import type { Container, Pod } from "../../api/schema/core.v1.generated.ts";
import { memorySize } from "./empty-dir.ts";

const MI = 2 ** 20;

function container(memory?: string, more: Partial<Container> = {}): Container {
  return { name: "c", image: "i", resources: memory ? { limits: { memory } } : {}, ...more };
}

function pod(containers: Container[], initContainers: Container[] = []): Pod {
  return { apiVersion: "v1", kind: "Pod", metadata: {}, spec: { containers, initContainers } };
}

test("memory for a volume is at most what it says, what the pod may use, and what the node has", () => {
  const limited = pod([container("8Mi"), container("8Mi")]);
  assert.equal(memorySize(limited, "4Mi", 64 * MI), 4 * MI);
  assert.equal(memorySize(limited, "32Mi", 64 * MI), 16 * MI);
  assert.equal(memorySize(limited, undefined, 8 * MI), 8 * MI);
  assert.equal(memorySize(pod([container()]), undefined, undefined), undefined);
  assert.equal(memorySize(pod([container()]), "0", 64 * MI), 64 * MI);
});

test("a container without a limit leaves the pod without one, and init containers count by themselves", () => {
  assert.equal(memorySize(pod([container("8Mi"), container()]), undefined, 64 * MI), 64 * MI);
  assert.equal(memorySize(pod([container("8Mi")], [container("32Mi")]), undefined, 64 * MI), 32 * MI);
  const sidecar = container("4Mi", { restartPolicy: "Always" });
  assert.equal(memorySize(pod([container("8Mi")], [sidecar]), undefined, 64 * MI), 12 * MI);
  assert.equal(memorySize(pod([container("8Mi")], [container()]), undefined, 64 * MI), 64 * MI);
});
