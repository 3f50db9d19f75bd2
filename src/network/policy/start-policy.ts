/**
 * Enforces NetworkPolicies for the pods of this node.
 *
 *   informers ─▶ which pods and policies changed ─▶ PolicyState ─▶ claims ─▶ one transaction
 */
import { randomBytes } from "node:crypto";
import { Namespace } from "../../api/core/namespace.ts";
import { Pod } from "../../api/core/pods.ts";
import { NetworkPolicy } from "../../api/networking/network-policy.ts";
import { openNft } from "../../host/nftables/nft.ts";
import { openOwnedTable } from "../../host/nftables/owned-table.ts";
import { TableSync } from "../table-sync.ts";
import { policyBase } from "./base-rules.ts";
import type { PolicyOptions, PolicySettings, RunningPolicy } from "./policy-options.ts";
import { PolicyState } from "./policy-state.ts";

const DEFAULTS: PolicySettings = { table: "kybern-policy", minSyncPeriod: 100, syncPeriod: 30_000 };

export function startPolicy(options: PolicyOptions): RunningPolicy {
  const { informers, nodeName, clock, random, nft = openNft(), log = () => {} } = options;
  const settings = { ...DEFAULTS, ...options.settings };
  const table = openOwnedTable({
    nft,
    name: settings.table,
    base: policyBase(),
    token: randomBytes(6).toString("hex"),
    refused: (error) =>
      log("warn", "a change of the network policies was refused and they are made anew", {
        error: error.message,
      }),
  });
  const policies = informers.of(NetworkPolicy);
  const pods = informers.of(Pod);
  const namespaces = informers.of(Namespace);
  const state = new PolicyState({
    policies: policies.lister,
    pods: pods.lister,
    namespaces: namespaces.lister,
    table,
    nodeName,
    failed: (key, error) =>
      log("error", "a network policy could not be planned", { policy: key, error: String(error) }),
  });
  const sync = new TableSync({
    table,
    clock,
    random,
    minPeriod: settings.minSyncPeriod,
    checkPeriod: settings.syncPeriod,
    plan: () => state.plan(),
    done: async () => {},
    failed: (error, attempt) =>
      log("error", "the network policies could not be written", { attempt, error: String(error) }),
    lost: () => log("warn", "the network policies were removed by somebody else and are made anew"),
  });

  // Until the whole picture is there the rules of a former process stay.
  let live = false;
  let watching = false;
  const leave: (() => void)[] = [];
  const watchPods = (): Promise<unknown> => {
    if (!watching) {
      watching = true;
      leave.push(
        pods.subscribe(({ key, now }) => {
          if (state.podChanged(key, now) && live) sync.wake();
        }),
        namespaces.subscribe(({ key, now, was }) => {
          const same =
            now && was && JSON.stringify(now.metadata.labels) === JSON.stringify(was.metadata.labels);
          if (!same && state.namespaceChanged(key) && live) sync.wake();
        }),
      );
      pods.start();
      namespaces.start();
    }
    return Promise.all([pods.synced, namespaces.synced]);
  };
  const policyChanged = (key: string): void => {
    state.policyChanged(key);
    void watchPods().then(() => {
      if (live) sync.wake();
    });
  };
  leave.push(policies.subscribe(({ key }) => policyChanged(key)));
  policies.start();

  const ready = policies.synced
    .then(() => (policies.lister.size > 0 ? watchPods() : undefined))
    .then(async () => {
      live = true;
      sync.wake();
      await sync.settled();
    });
  const settled = async (): Promise<void> => {
    await ready;
    if (policies.lister.size > 0) await watchPods();
    await sync.settled();
  };
  const stop = async (): Promise<void> => {
    live = false;
    for (const unsubscribe of leave.splice(0)) unsubscribe();
    await sync.stop();
  };
  return {
    ready,
    async admit(pod, podIPs) {
      if (!state.admit(pod, podIPs)) return;
      if (live) sync.wake();
      await settled();
    },
    settled,
    stop,
    async remove() {
      await stop();
      await table.remove();
    },
  };
}
