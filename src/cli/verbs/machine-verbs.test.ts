/** What `kybern up` and the verbs around it take and refuse. */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import test from "node:test";
import { UsageError } from "../verb.ts";
import { imagesVerb } from "./images.ts";
import { joinVerb } from "./join.ts";
import { logsVerb } from "./logs.ts";
import { statusTable, statusVerb } from "./status.ts";
import { tokenVerb } from "./token.ts";
import { upVerb } from "./up.ts";

const data = { dataDir: "/data" };
const HASH = `sha256:${"a".repeat(64)}`;
const TOKEN = "abcdef.0123456789abcdef";

const up = (flags: Record<string, string>) => upVerb.parse({ ...data, timeout: "120", ...flags }, []);

test("up passes on what was given and nothing else, so that what was given before stays", () => {
  const { flags, simulateNodes, timeoutMs } = up({ securePort: "7443", nodeName: "a" });
  assert.deepEqual(flags, { "secure-port": "7443", "node-name": "a" });
  assert.equal(simulateNodes, undefined);
  assert.equal(timeoutMs, 120_000);
  assert.equal(up({ simulateNodes: "0" }).simulateNodes, 0);
});

test("up and join keep the path of a file so that it leads there from anywhere", () => {
  assert.equal(up({ kubeletConfig: "k.yaml" }).flags["kubelet-config"], resolve("k.yaml"));
  const flags = { ...data, token: TOKEN, discoveryTokenCaCertHash: HASH, kubeletConfig: "k.yaml" };
  assert.equal(joinVerb.parse(flags, ["a:6443"]).flags["kubelet-config"], resolve("k.yaml"));
});

test("up tells defaults in its help, and gives none", () => {
  const own = upVerb.flags.filter(({ syntax }) => !/--(data-dir|timeout)/.test(syntax));
  assert.ok(own.every((flag) => flag.default === undefined));
  assert.ok(own.some(({ summary }) => summary.includes("6443")));
});

test("up refuses what the server would refuse later", () => {
  const wrong: Record<string, string>[] = [
    { securePort: "port" },
    { bindAddress: "here" },
    { advertiseAddress: "here" },
    { tlsSan: "a.example,not a name" },
    { clusterDomain: "" },
    { clusterCidr: "bad" },
    { clusterCidr: "10.244.0.0/33" },
    { clusterCidr: "10.244.0.0/25" },
    { clusterCidr: "" },
    { clusterCidr: "10.244.0.0/16,10.245.0.0/16" },
    { clusterCidr: "10.0.0.0/8" },
    { serviceClusterIpRange: "10.244.3.0/24" },
    { serviceClusterIpRange: "10.96.0.0/29" },
    { serviceClusterIpRange: "10.96.0.0/12,fd00:10:96::/112,fd00:10:97::/112" },
    { loadBalancerRanges: "192.0.2.9-192.0.2.1" },
    { loadBalancerRanges: "nodes,192.0.2.240/28" },
    { serviceNodePortRange: "32767-30000" },
    { serviceNodePortRange: "30000-99999" },
    { nodeName: "Not a name" },
    { nodeIp: "1.2.3" },
    { containerRuntimeEndpoint: "crio" },
    { simulateNodes: "-1" },
    { timeout: "long" },
    { dataDir: `/${"a".repeat(100)}` },
  ];
  for (const flags of wrong) assert.throws(() => up(flags), UsageError, JSON.stringify(flags));
});

test("up takes two families, and names that hold for a domain", () => {
  const { flags } = up({
    clusterCidr: "10.244.0.0/16,fd00:10:244::/56",
    serviceClusterIpRange: "10.96.0.0/12,fd00:10:96::/112",
    tlsSan: "*.example.com,192.0.2.1,fd00::1",
    loadBalancerRanges: "192.0.2.240/28,192.0.2.1-192.0.2.9",
  });
  assert.equal(Object.keys(flags).length, 4);
});

test("token takes lifetimes by their units, and 0 for ever", () => {
  const ttl = (text: string) => tokenVerb.parse({ ...data, ttl: text }, ["create"]).ttlSeconds;
  assert.deepEqual(["90s", "30m", "24h", "2d", "0"].map(ttl), [90, 1800, 86_400, 172_800, 0]);
  for (const text of ["", "1", "h", "-1h", "1w"]) assert.throws(() => ttl(text), UsageError, text);
});

test("token and images refuse an action that they have not, and one without its subject", () => {
  assert.throws(() => tokenVerb.parse({ ...data, ttl: "1h" }, ["make"]), UsageError);
  assert.throws(() => tokenVerb.parse({ ...data, ttl: "1h" }, ["delete"]), UsageError);
  assert.throws(() => imagesVerb.parse(data, ["pull"]), UsageError);
  assert.throws(() => imagesVerb.parse(data, ["import"]), UsageError);
  assert.deepEqual(imagesVerb.parse(data, ["rm", "a", "b"]).subjects, ["a", "b"]);
});

test("join knows the cluster by a digest, unless it is told to trust anybody", () => {
  const parse = (flags: object, server = "192.0.2.1:6443") =>
    joinVerb.parse({ ...data, token: TOKEN, ...flags }, [server]);
  const hash = { discoveryTokenCaCertHash: HASH };
  assert.deepEqual(parse(hash).caHashes, [HASH]);
  assert.equal(parse(hash, "https://[fd00::1]:6443").server, "https://[fd00::1]:6443");
  assert.deepEqual(parse({ discoveryTokenUnsafeSkipCaVerification: "true" }).caHashes, []);
  assert.deepEqual(parse({ ...hash, nodeName: "b" }).flags, { "node-name": "b" });
  assert.throws(() => parse({}), /--discovery-token-ca-cert-hash/);
  assert.throws(() => parse({ discoveryTokenCaCertHash: "sha256:12" }), UsageError);
  assert.throws(() => parse({ ...hash, token: "secret" }), UsageError);
  for (const server of ["", "host", "host:port", "http://a:1"])
    assert.throws(() => parse(hash, server), UsageError, server);
});

test("logs finds the file of a component, and refuses one that has none", () => {
  assert.equal(logsVerb.parse(data, []).path, "/data/logs/kybern.log");
  assert.equal(logsVerb.parse({ ...data, tail: "5" }, ["containerd"]).tail, 5);
  assert.throws(() => logsVerb.parse(data, ["constructor"]), UsageError);
  assert.throws(() => logsVerb.parse({ ...data, tail: "x" }, []), UsageError);
});

test("status prints a table of components and the node", () => {
  assert.throws(() => statusVerb.parse({ ...data, output: "yaml" }, []), UsageError);
  const text = statusTable(
    {
      version: "v1.36.2",
      pid: 7,
      started: 0,
      role: "server",
      server: "https://192.0.2.1:6443",
      components: [
        { name: "API server", state: "running", message: "https://192.0.2.1:6443", since: 1000 },
        { name: "DNS", state: "starting", message: "", since: 100_000 },
      ],
      node: { name: "a", ready: false, message: "not registered yet", simulated: 0 },
      memoryBytes: 123_456_789,
    },
    180_000,
  );
  const [head, , ...rows] = text.trimEnd().split("\n");
  assert.equal(head, "Kybern v1.36.2 runs for 3m as process 7, with 123 MB of memory.");
  assert.deepEqual(
    rows.map((row) => row.split(/ {2,}/)),
    [
      ["COMPONENT", "STATE", "FOR"],
      ["API server", "running", "2m", "https://192.0.2.1:6443"],
      ["DNS", "starting", "80s"],
      ["node a", "not ready", "not registered yet"],
    ],
  );
});
