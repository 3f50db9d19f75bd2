/**
 * Two servers over one etcd: controllers and scheduler act in one of them alone, and in the other soon after the first
 * was stopped or killed. Nothing is made twice.
 */
import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { noEtcd, startEtcd } from "../../src/store/etcd/real-etcd.ts";
import { type ServerProcess, type Shown, startServer } from "./server-process.ts";

const LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const SETS = "/apis/apps/v1/namespaces/default/replicasets";
const PODS = "/api/v1/namespaces/default/pods";
const NAMES = ["kube-controller-manager", "kube-scheduler"];
const FEW = 10;
const MANY = 25;
/** The lease's 15 seconds after it was last seen to be renewed, which others look for every 4.4 seconds at most. */
const TAKEN_WITHIN = 20_000;
const HANDED_OVER_WITHIN = 5000;
/** For what the successor then has to do, on a machine that is busy. */
const SLACK = 5000;

interface Lease extends Shown {
  spec: { holderIdentity?: string; leaseTransitions: number };
}

interface Pod extends Shown {
  spec: { nodeName?: string };
}

function deployment(replicas: number): object {
  const template = {
    metadata: { labels: { app: "web" } },
    spec: { containers: [{ name: "web", image: "web:1" }] },
  };
  const spec = { replicas, selector: { matchLabels: { app: "web" } }, template };
  return { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec };
}

async function leases(server: ServerProcess): Promise<Lease[]> {
  return Promise.all(NAMES.map(async (name) => (await server.ok("GET", `${LEASES}/${name}`)) as Lease));
}

/** Resolves when so many pods have nodes; none may be made beyond them. */
async function bound(server: ServerProcess, count: number): Promise<void> {
  const made = new Set<string>();
  const placed = new Set<string>();
  const leave = new AbortController();
  const path = `${PODS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`;
  const told = ({ type, object }: { type: string; object: Shown }): void => {
    if (type !== "ADDED" && type !== "MODIFIED") return;
    const { metadata, spec } = object as Pod;
    made.add(metadata.name);
    if (spec.nodeName) placed.add(metadata.name);
    if (placed.size >= count) leave.abort();
  };
  await server.watch(path, told, leave.signal);
  assert.equal(placed.size, count);
  assert.equal(made.size, count);
}

test("of two servers over one etcd one acts, and the other goes on where it was stopped or killed", {
  skip: noEtcd ?? false,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "kybern-leader-"));
  after(() => rm(folder, { recursive: true, force: true }));
  const etcd = await startEtcd(folder);
  after(() => etcd.stop());
  const start = async (name: string): Promise<ServerProcess> => {
    const own = join(folder, name);
    await mkdir(own);
    if (name !== "a") await cp(join(folder, "a", "pki"), join(own, "pki"), { recursive: true });
    return startServer(own, ["--etcd-servers", etcd.endpoint, "--simulate-nodes", name === "a" ? "3" : "0"]);
  };
  const leads = async (server: ServerProcess): Promise<boolean[]> => {
    const text = await server.text("/metrics");
    return NAMES.map((name) => text.includes(`leader_election_master_status{name="${name}"} 1`));
  };

  const a = await start("a");
  await a.ok("POST", DEPLOYMENTS, deployment(FEW));
  await bound(a, FEW);
  const b = await start("b");
  assert.deepEqual(await leads(a), [true, true]);
  assert.deepEqual(await leads(b), [false, false]);
  const first = await leases(b);
  assert.ok(first.every(({ spec }) => /^.+_[0-9a-f-]{36}$/.test(spec.holderIdentity ?? "")));

  const killed = performance.now();
  a.kill("SIGKILL");
  await b.ok("PATCH", `${DEPLOYMENTS}/web`, { spec: { replicas: MANY } });
  await bound(b, MANY);
  const taken = performance.now() - killed;
  t.diagnostic(`taken over ${(taken / 1000).toFixed(1)} s after the first was killed`);
  assert.ok(taken < TAKEN_WITHIN + SLACK, `taken over after ${taken} ms`);
  assert.deepEqual(await leads(b), [true, true]);
  const second = await leases(b);
  for (const [i, { spec }] of second.entries()) {
    assert.notEqual(spec.holderIdentity, first[i]?.spec.holderIdentity);
    assert.equal(spec.leaseTransitions, 1);
  }

  const c = await start("c");
  assert.deepEqual(await leads(c), [false, false]);
  const stopped = performance.now();
  const leave = new AbortController();
  const holders = new Map<string, string[]>(NAMES.map((name) => [name, []]));
  const begun = Promise.withResolvers<void>();
  const held = ({ object }: { object: Shown }): void => {
    holders.get(object.metadata.name)?.push((object as Lease).spec.holderIdentity ?? "");
    if ([...holders.values()].every(({ length }) => length > 0)) begun.resolve();
  };
  const watching = c.watch(`${LEASES}?watch=true&resourceVersion=0`, held, leave.signal);
  await begun.promise;
  assert.deepEqual(await b.stop(), { code: 0, signal: null });
  await c.ok("PATCH", `${DEPLOYMENTS}/web`, { spec: { replicas: MANY + FEW } });
  await bound(c, MANY + FEW);
  const handed = performance.now() - stopped;
  t.diagnostic(`handed over in ${(handed / 1000).toFixed(1)} s`);
  assert.ok(handed < HANDED_OVER_WITHIN + SLACK, `handed over after ${handed} ms`);
  leave.abort();
  await watching;
  // Who stops lets go of what it holds, so that nobody waits until it would have expired.
  for (const [name, all] of holders) assert.ok(all.includes(""), `${name}: ${all}`);

  assert.equal((await c.ok("GET", SETS)).items?.length, 1);
  assert.equal((await c.ok("GET", PODS)).items?.length, MANY + FEW);
  assert.deepEqual(await c.stop(), { code: 0, signal: null });
});
