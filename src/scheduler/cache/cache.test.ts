import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/core/pods.ts";
import { PodInfo } from "../framework/pod-info.ts";
import { makeNode, makePod } from "../testing/make.ts";
import { Cache } from "./cache.ts";

const CPU = { requests: { cpu: "1" } };

function withAntiAffinity(pod: Pod): Pod {
  const term = { labelSelector: { matchLabels: { app: "web" } }, topologyKey: "zone" };
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
  return { ...pod, spec: { ...pod.spec!, affinity } };
}

test("a cache counts an assumed pod once, from its assumption to its end", () => {
  const cache = new Cache();
  cache.setNode(makeNode("a"));
  const pod = makePod("web", CPU);
  cache.assume(new PodInfo(pod), "a");
  assert.equal(cache.isAssumed("uid-web"), true);
  assert.equal(cache.get("a")?.requested.milliCPU, 1000);
  cache.setPod(makePod("web", { ...CPU, node: "a" }));
  assert.equal(cache.isAssumed("uid-web"), false);
  assert.equal(cache.get("a")?.requested.milliCPU, 1000);
  cache.forget("uid-web");
  assert.equal(cache.podCount, 1, "what is seen is not forgotten by a failed binding");
  cache.removePod("uid-web");
  assert.equal(cache.get("a")?.requested.milliCPU, 0);
  assert.equal(cache.podCount, 0);
});

test("a cache moves a pod that is seen on another node than was assumed", () => {
  const cache = new Cache();
  for (const name of ["a", "b"]) cache.setNode(makeNode(name));
  cache.assume(new PodInfo(makePod("web", CPU)), "a");
  cache.setPod(makePod("web", { ...CPU, node: "b" }));
  assert.deepEqual(
    cache.list.map(({ name, requested }) => [name, requested.milliCPU]),
    [
      ["a", 0],
      ["b", 1000],
    ],
  );
});

test("a cache forgets what was assumed when binding failed", () => {
  const cache = new Cache();
  cache.setNode(makeNode("a"));
  cache.assume(new PodInfo(makePod("web", CPU)), "a");
  cache.forget("uid-web");
  assert.equal(cache.get("a")?.pods.size, 0);
});

test("a cache keeps the pods of a node that went, and gives them back to it", () => {
  const cache = new Cache();
  cache.setPod(makePod("early", { ...CPU, node: "a" }));
  assert.equal(cache.list.length, 0);
  cache.setNode(makeNode("a"));
  cache.setPod(makePod("late", { ...CPU, node: "a" }));
  cache.removeNode("a");
  assert.equal(cache.get("a"), undefined);
  cache.removePod("uid-early");
  cache.setNode(makeNode("a"));
  assert.deepEqual([...cache.get("a")!.pods.keys()], ["default/late"]);
});

test("a cache takes the successor of a pod's name for another pod", () => {
  const cache = new Cache();
  cache.setNode(makeNode("a"));
  cache.setPod(makePod("web", { ...CPU, node: "a", uid: "first" }));
  cache.setPod(makePod("web", { ...CPU, node: "a", uid: "second" }));
  cache.removePod("first");
  assert.equal(cache.get("a")?.pods.size, 1);
  assert.equal(cache.get("a")?.requested.milliCPU, 1000);
});

test("a cache keeps a pod's reading while only its status changes, and reads it anew when labels do", () => {
  const cache = new Cache();
  cache.setNode(makeNode("a"));
  const first = makePod("web", { ...CPU, node: "a" });
  cache.setPod(first);
  const info = cache.get("a")!.pods.get("default/web")!;
  const running = { ...first, status: { phase: "Running" } };
  cache.setPod(running);
  assert.equal(cache.get("a")!.pods.get("default/web"), info);
  assert.equal(info.pod, running);
  cache.setPod(makePod("web", { ...CPU, node: "a", labels: { app: "web" } }));
  assert.notEqual(cache.get("a")!.pods.get("default/web"), info);
});

test("a cache knows the nodes of pods with affinity", () => {
  const cache = new Cache();
  for (const name of ["a", "b"]) cache.setNode(makeNode(name));
  cache.setPod(withAntiAffinity(makePod("web", { node: "b" })));
  assert.deepEqual(
    [...cache.withRequiredAntiAffinity].map(({ name }) => name),
    ["b"],
  );
  assert.deepEqual([...cache.withAffinity], [...cache.withRequiredAntiAffinity]);
  cache.removeNode("b");
  assert.equal(cache.withAffinity.size, 0);
  cache.setNode(makeNode("b"));
  assert.equal(cache.withAffinity.size, 1);
  cache.removePod("uid-web");
  assert.equal(cache.withAffinity.size + cache.withRequiredAntiAffinity.size, 0);
});

test("a cache tries one node of each zone in turn, however nodes come, go and move", () => {
  const cache = new Cache();
  const zone = (name: string): Record<string, string> => ({ "topology.kubernetes.io/zone": name });
  for (const [name, at] of ["a1 x", "a2 x", "a3 x", "b1 y", "c1 z", "c2 z"].map((text) => text.split(" "))) {
    cache.setNode(makeNode(name!, zone(at!)));
  }
  const names = (): string => cache.list.map(({ name }) => name).join(" ");
  assert.equal(names(), "a1 b1 c1 a2 c2 a3");
  cache.removeNode("a1");
  cache.setNode(makeNode("c2", zone("y")));
  assert.equal(names(), "a2 b1 c1 a3 c2");
  const list = cache.list;
  cache.setNode(makeNode("c1", zone("z")));
  assert.equal(cache.list, list, "a change that moves no node costs nothing");
});
