/** A test network whose node enforces NetworkPolicies, over a cluster of which the test writes pods and policies itself. */
import type { TestContext } from "node:test";
import { systemClock } from "../../../src/base/clock.ts";
import { openNft } from "../../../src/host/nftables/nft.ts";
import type { RunningPolicy } from "../../../src/network/policy/policy-options.ts";
import { startPolicy } from "../../../src/network/policy/start-policy.ts";
import { Namespace, NetworkPolicy, Pod, ServiceAccount } from "../../../src/testing/index.ts";
import { makeNetwork, podIP, podIP6, type TestNetwork } from "./network.ts";
import { WrittenCluster } from "./written-cluster.ts";

export const NODE = "node-1";
export const ELSEWHERE = "node-2";

export interface PodGiven {
  number: number;
  namespace?: string;
  labels?: Record<string, string>;
  nodeName?: string;
  hostNetwork?: boolean;
  ports?: { name: string; containerPort: number; protocol?: string }[];
  phase?: string;
}

export interface PolicedNetwork {
  network: TestNetwork;
  cluster: WrittenCluster;
  policy: RunningPolicy;
  warnings: string[];
  namespace(name: string, labels: Record<string, string>): Promise<void>;
  /** Writes the Pod `pod-NUMBER` with the addresses of the network's pod of that number. */
  pod(given: PodGiven): Promise<Pod>;
  removePod(number: number, namespace?: string): Promise<void>;
  /** Writes a NetworkPolicy, and resolves when the kernel has it. */
  limit(name: string, spec: NetworkPolicy["spec"], namespace?: string): Promise<void>;
  unlimit(name: string, namespace?: string): Promise<void>;
}

export async function policedNetwork(t: Pick<TestContext, "after">): Promise<PolicedNetwork> {
  const [network, cluster] = await Promise.all([makeNetwork(t), WrittenCluster.start(t)]);
  const warnings: string[] = [];
  const policy = startPolicy({
    informers: cluster.informers,
    nodeName: NODE,
    clock: systemClock,
    random: Math.random,
    nft: openNft({ run: network.run }),
    // A test does not wait for quiet times.
    settings: { minSyncPeriod: 1 },
    log: (level, text, facts) => warnings.push(`${level}: ${text} ${JSON.stringify(facts ?? {})}`),
  });
  t.after(() => policy.stop());
  await policy.ready;
  const namespace = async (name: string, labels: Record<string, string>): Promise<void> => {
    await cluster.put(Namespace, { metadata: { name, labels } });
    await cluster.put(ServiceAccount, { metadata: { namespace: name, name: "default" } });
    await policy.settled();
  };
  await namespace("default", {});
  return {
    network,
    cluster,
    policy,
    warnings,
    namespace,
    async pod({ number, namespace: place = "default", labels = {}, phase = "Running", ports, ...spec }) {
      const ips = [podIP(number), podIP6(number)].map((ip) => ({ ip }));
      // What is there keeps its spec, which the API server lets nobody change.
      const there = cluster.informers.of(Pod).lister.get(place, `pod-${number}`);
      const now = await cluster.put(Pod, {
        metadata: { namespace: place, name: `pod-${number}`, labels },
        spec: there?.spec ?? {
          nodeName: NODE,
          containers: [{ name: "main", image: "none", ports }],
          ...spec,
        },
        status: { phase, podIP: podIP(number), podIPs: ips },
      });
      await policy.settled();
      return now;
    },
    async removePod(number, place = "default") {
      await cluster.remove(Pod, `pod-${number}`, place);
      await policy.settled();
    },
    async limit(name, spec, place = "default") {
      await cluster.put(NetworkPolicy, { metadata: { namespace: place, name }, spec });
      await policy.settled();
    },
    async unlimit(name, place = "default") {
      await cluster.remove(NetworkPolicy, name, place);
      await policy.settled();
    },
  };
}
