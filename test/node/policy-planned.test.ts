/** The rules of NetworkPolicies in the kernel without an API server: whatever changes came before, they are the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/random.ts";
import { ObjectStore } from "../../src/client/informer/object-store.ts";
import { openNft } from "../../src/host/nftables/nft.ts";
import { openOwnedTable } from "../../src/host/nftables/owned-table.ts";
import { policyBase } from "../../src/network/policy/base-rules.ts";
import { PolicyState } from "../../src/network/policy/policy-state.ts";
import type { Namespace, NetworkPolicy, Pod } from "../../src/testing/index.ts";
import { kernelTable } from "./harness/kernel-table.ts";
import { cannotMakeNetworks, makeNetwork, podIP, podIP6 } from "./harness/network.ts";

const NODE = "node-1";
const NAMESPACES = ["blue", "red"];

interface World {
  pods: ObjectStore<Pod>;
  namespaces: ObjectStore<Namespace>;
  policies: ObjectStore<NetworkPolicy>;
}

type Pick = <T>(...from: T[]) => T;

function randomPod(number: number, namespace: string, pick: Pick): Pod {
  const ips = pick([podIP(number), podIP6(number)], [podIP(number)], []);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name: `pod-${number}`, labels: { app: pick("web", "client") } },
    spec: {
      nodeName: pick(NODE, "node-2"),
      hostNetwork: pick(false, false, true),
      containers: [{ name: "main", ports: [{ name: "http", containerPort: pick(80, 8080) }] }],
    },
    status: { phase: pick("Running", "Running", "Succeeded"), podIPs: ips.map((ip) => ({ ip })) },
  };
}

function randomPolicy(name: string, namespace: string, pick: Pick): NetworkPolicy {
  const selector = () => pick({}, { matchLabels: { app: "web" } }, { matchLabels: { app: "client" } });
  const peer = () =>
    pick<object>(
      { podSelector: selector() },
      { namespaceSelector: pick({}, { matchLabels: { level: "1" } }) },
      { namespaceSelector: {}, podSelector: selector() },
      { ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16", "10.1.2.0/24"] } },
      { ipBlock: { cidr: "::/0" } },
    );
  const port = () =>
    pick<object>({ port: 80 }, { port: 70, endPort: 90 }, { port: "http" }, { protocol: "UDP" });
  const rule = () => ({
    peers: pick([], [peer()], [peer(), peer()]),
    ports: pick([], [port()], [port(), port()]),
  });
  const rules = () => pick([], [rule()], [rule(), rule()]);
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace, name },
    spec: {
      podSelector: selector(),
      policyTypes: pick(["Ingress"], ["Egress"], ["Ingress", "Egress"]),
      ingress: rules().map(({ peers, ports }) => ({ from: peers, ports })),
      egress: rules().map(({ peers, ports }) => ({ to: peers, ports })),
    },
  };
}

/** Changes something, and tells the state. */
function step({ pods, namespaces, policies }: World, state: PolicyState, pick: Pick): void {
  const namespace = pick(...NAMESPACES);
  const number = pick(11, 12, 13, 14, 15, 16);
  const name = pick("a", "b", "c");
  const podKey = `${namespace}/pod-${number}`;
  const policyKey = `${namespace}/${name}`;
  switch (pick("pod", "pod", "pod", "no pod", "policy", "policy", "no policy", "namespace")) {
    case "pod":
      // An address is that of one pod.
      for (const other of NAMESPACES) {
        const key = `${other}/pod-${number}`;
        if (other !== namespace && pods.delete(key)) state.podChanged(key, undefined);
      }
      pods.set(podKey, randomPod(number, namespace, pick));
      state.podChanged(podKey, pods.at(podKey));
      break;
    case "no pod":
      if (pods.delete(podKey)) state.podChanged(podKey, undefined);
      break;
    case "policy":
      policies.set(policyKey, randomPolicy(name, namespace, pick));
      state.policyChanged(policyKey);
      break;
    case "no policy":
      if (policies.delete(policyKey)) state.policyChanged(policyKey);
      break;
    default:
      namespaces.set(namespace, {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name: namespace, labels: { level: pick("1", "2") } },
      });
      state.namespaceChanged(namespace);
  }
}

test("whatever changes came before, the kernel holds what a node that starts now would write", {
  skip: cannotMakeNetworks,
  timeout: 300_000,
}, async (t) => {
  const { run } = await makeNetwork(t);
  const nft = openNft({ run });
  const refused: string[] = [];
  const open = (name: string) =>
    openOwnedTable({
      nft,
      name,
      base: policyBase(),
      token: "test",
      refused: ({ message }) => refused.push(message),
    });
  for (let seed = 1; seed <= 10; seed++) {
    const random = seededRandom(seed);
    const pick: Pick = (...from) => from[Math.floor(random() * from.length)]!;
    const world: World = {
      pods: new ObjectStore<Pod>(),
      namespaces: new ObjectStore<Namespace>(),
      policies: new ObjectStore<NetworkPolicy>(),
    };
    const failed = (key: string): void => assert.fail(key);
    const listers = { pods: world.pods, namespaces: world.namespaces, policies: world.policies, failed };
    const warm = open("warm");
    const state = new PolicyState({ ...listers, table: warm, nodeName: NODE });
    for (let i = 0; i < 60; i++) {
      step(world, state, pick);
      if (random() < 0.4) {
        await state.plan();
        await warm.sync();
      }
    }
    await state.plan();
    await warm.sync();
    const cold = open("cold");
    const fresh = new PolicyState({ ...listers, table: cold, nodeName: NODE });
    for (const key of world.policies.keys()) fresh.policyChanged(key);
    await fresh.plan();
    assert.equal(await cold.sync(), true);
    assert.deepEqual(await kernelTable(nft, "warm"), await kernelTable(nft, "cold"), `seed ${seed}`);
  }
  assert.deepEqual(refused, [], "differences alone did it");
});
