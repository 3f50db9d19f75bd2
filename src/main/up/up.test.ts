/** The decisions of `kybern up` and the verbs around it, without a process. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import type { ClusterStatus } from "../../cluster/cluster-status.ts";
import { layoutOf } from "../../cluster/layout.ts";
import { alone } from "./background.ts";
import { portsOf } from "./prepare-machine.ts";
import { clusterFindings } from "./run-doctor.ts";
import { importedNames } from "./run-images.ts";
import { removeUnit, unitName, unitText } from "./run-install.ts";
import { programArguments, readSettings, writeSettings } from "./settings.ts";

const layout = layoutOf("/data");

test("programArguments runs a node's components only where the machine is one", () => {
  const flags = { "secure-port": "7443" };
  const real = programArguments(layout, { role: "server", simulateNodes: 0, flags }).join(" ");
  assert.match(
    real,
    /^server --data-dir \/data --components \S+,kubelet,proxy,dns --simulate-nodes 0 --load-balancer-ranges nodes --secure-port 7443$/,
  );
  const simulated = programArguments(layout, { role: "server", simulateNodes: 2, flags: {} }).join(" ");
  assert.doesNotMatch(simulated, /kubelet/);
  const agent = programArguments(layout, { role: "agent", simulateNodes: 0, flags: { "node-name": "b" } });
  assert.deepEqual(agent, ["agent", "--data-dir", "/data", "--node-name", "b"]);
});

test("portsOf asks for the ports of what will run", () => {
  const ports = (role: "server" | "agent", simulateNodes: number) =>
    portsOf({ role, simulateNodes, flags: { "secure-port": "7443" } }).map(({ port }) => port);
  assert.deepEqual(ports("server", 0), [7443, 10250]);
  assert.deepEqual(ports("server", 1), [7443]);
  assert.deepEqual(ports("agent", 0), [10250]);
});

test("settings are read as they were written, and damaged ones not at all", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "kybern-settings-"));
  t.after(() => rm(directory, { recursive: true }));
  const own = layoutOf(directory);
  assert.equal(await readSettings(own), undefined);
  const settings = { role: "server", simulateNodes: 1, flags: { "node-name": "a" } } as const;
  await writeSettings(own, settings);
  assert.deepEqual(await readSettings(own), settings);
  await writeFile(own.settings, "{");
  await assert.rejects(readSettings(own), /up\.json, which says how this cluster runs, is damaged \(/);
});

test("importedNames reads what ctr of containerd 1 and 2 says", () => {
  assert.deepEqual(importedNames("unpacking localhost/a:1 (sha256:12ab)...done\n"), ["localhost/a:1"]);
  assert.deepEqual(importedNames("localhost/a:1     \tsaved\napplication/vnd.oci sha256:12\n"), [
    "localhost/a:1",
  ]);
  assert.deepEqual(importedNames(""), []);
});

test("alone gives the cluster back, also after a failure", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "kybern-alone-"));
  t.after(() => rm(directory, { recursive: true }));
  const own = layoutOf(directory);
  await assert.rejects(
    alone(own, () => Promise.reject(new Error("failed"))),
    /failed/,
  );
  assert.equal(await alone(own, async () => 7), 7);
});

test("unitText begins and ends the cluster without ending containers, with every word as it is", () => {
  const text = unitText(layoutOf("/data dir/100%"), ["/usr/bin/node", "/opt/kybern.js"]);
  assert.match(text, /^ExecStart=\/usr\/bin\/node \/opt\/kybern\.js up --data-dir "\/data dir\/100%%"$/m);
  assert.match(text, /^KillMode=none$/m);
  assert.equal(unitName(layoutOf("/var/lib/kybern")), "kybern.service");
  assert.equal(unitName(layoutOf("/srv/a")), "kybern-srv-a.service");
});

test("removeUnit removes it once, and tells systemd", async (t) => {
  const units = await mkdtemp(join(tmpdir(), "kybern-units-"));
  t.after(() => rm(units, { recursive: true }));
  const told: string[] = [];
  const run = async (command: string, words: readonly string[]): Promise<string> => {
    told.push([command, ...words].join(" "));
    return "";
  };
  await writeFile(join(units, unitName(layout)), unitText(layout, ["/opt/kybern"]));
  assert.equal(await removeUnit(layout, run, units), true);
  assert.equal(await removeUnit(layout, run, units), false);
  assert.deepEqual(await readdir(units), []);
  assert.deepEqual(told, ["systemctl disable kybern-data.service", "systemctl daemon-reload"]);
});

const STATUS: ClusterStatus = {
  version: "v1",
  pid: 7,
  started: 0,
  role: "server",
  server: "https://a:1",
  components: [{ name: "kubelet", state: "running", message: "", since: 0 }],
  node: { name: "a", ready: true, message: "", simulated: 0 },
  memoryBytes: 1,
};

test("clusterFindings finds nothing where all runs, and no cluster to mend where none was made", () => {
  assert.deepEqual(clusterFindings({ isMade: true, isSupervised: true, status: STATUS }), []);
  assert.deepEqual(clusterFindings({ isMade: false, isSupervised: false, status: undefined }), []);
});

test("clusterFindings names what failed, what is not ready, and what would not come back", () => {
  const findings = clusterFindings({
    isMade: true,
    isSupervised: false,
    status: {
      ...STATUS,
      components: [{ name: "node", state: "failed", message: "containerd ended at its start", since: 0 }],
      node: { name: "a", ready: false, message: "cni plugin not initialized", simulated: 0 },
    },
  });
  assert.deepEqual(
    findings.map(({ level }) => level),
    ["warning", "error", "error"],
  );
  assert.match(findings[1]!.what, /containerd ended/);
  assert.match(findings[2]!.what, /cni plugin/);
  const [again] = clusterFindings({ isMade: true, isSupervised: true, status: undefined });
  assert.match(again?.what ?? "", /again and again/);
});
