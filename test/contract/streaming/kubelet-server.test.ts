/** Who may ask a kubelet what, and what it lets through to the container runtime. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { ServiceAccount } from "../../../src/api/core/service-account.ts";
import { ClusterRole } from "../../../src/api/rbac/cluster-role.ts";
import { ClusterRoleBinding } from "../../../src/api/rbac/cluster-role-binding.ts";
import type { Pod } from "../../../src/api/schema/core.v1.generated.ts";
import { systemClock } from "../../../src/base/clock.ts";
import {
  issueCertificate,
  type KeyPair,
  makeAuthority,
  validity,
} from "../../../src/cluster/pki/certificate.ts";
import { issueClientCertificate } from "../../../src/cluster/pki/issue-client-certificate.ts";
import type { RunningPods } from "../../../src/kubelet/ports.ts";
import type { ContainerRuntime } from "../../../src/kubelet/runtime/container-runtime.ts";
import { startKubeletServer } from "../../../src/kubelet/server/kubelet-server.ts";
import type { KubeletServer } from "../../../src/kubelet/server/options.ts";
import { type ControlPlane, NODE, startControlPlane } from "./control-plane.ts";

const POD: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "default", uid: "11111111-2222-3333-4444-555555555555" },
  spec: { nodeName: NODE, containers: [{ name: "main", image: "app:1" }] },
  status: {
    containerStatuses: [
      {
        ...{ name: "main", image: "app:1", imageID: "", ready: true, restartCount: 0 },
        ...{ containerID: "containerd://abc", state: { running: {} } },
      },
    ],
  },
};

/** One pod, of which no container can do anything. */
const pods: RunningPods = {
  list: () => [POD],
  get: (namespace, name) => (namespace === "default" && name === "web" ? POD : undefined),
  byUID: () => POD,
  containerID: async () => "abc",
  sandboxID: async () => "sandbox",
  evict: async () => {},
  told: async () => {},
};

interface Kubelet extends KubeletServer {
  plane: ControlPlane;
}

interface Given {
  /** Where the runtime says that its streams are. */
  streams?: string;
  systemLogs?: string;
}

async function startKubelet(
  t: TestContext,
  { streams = "http://127.0.0.1:1/", systemLogs }: Given = {},
): Promise<Kubelet> {
  const plane = await startControlPlane(t);
  const runtime = {
    exec: async () => ({ url: `${streams}exec/token` }),
    attach: async () => ({ url: `${streams}attach/token` }),
    portForward: async () => ({ url: `${streams}portforward/token` }),
    listPodSandbox: async () => ({ items: [] }),
    listContainers: async () => ({ containers: [] }),
  } as unknown as ContainerRuntime;
  const kubelet = await startKubeletServer({
    nodeName: NODE,
    address: "127.0.0.1",
    port: 0,
    certificate: plane.kubeletCertificate(),
    clientCA: plane.pki.ca.certificate,
    client: plane.clientAs(`system:node:${NODE}`, ["system:nodes"]),
    clock: systemClock,
    pods,
    runtime,
    paths: { podLogs: "/nonexistent", systemLogs },
    containerEnded: async () => {},
    documents: {
      summary: (only) => ({ only }),
      metrics: () => "kubelet_up 1\n",
      cadvisorMetrics: () => "container_up 1\n",
      resourceMetrics: () => "resource_up 1\n",
      probeMetrics: () => "probe_up 1\n",
      configuration: () => ({ kind: "KubeletConfiguration" }),
    },
    log: () => {},
  });
  t.after(() => kubelet.close());
  await plane.createNode(NODE, kubelet.port);
  return { ...kubelet, plane };
}

interface Asked {
  method?: string;
  pair?: KeyPair;
  token?: string;
  headers?: Record<string, string>;
}

async function ask(kubelet: Kubelet, path: string, asked: Asked): Promise<{ status: number; body: string }> {
  const { status, body } = await answerOf(kubelet, path, asked);
  return { status, body };
}

function answerOf(
  { port, plane }: Kubelet,
  path: string,
  { method = "GET", pair, token, headers = {} }: Asked,
): Promise<{ status: number; body: string; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const sent = request({
      ...{ host: "127.0.0.1", port, path, method, ca: plane.pki.ca.certificate, agent: false },
      ...(pair ? { cert: pair.certificate, key: pair.key } : {}),
      headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    });
    sent.on("error", reject);
    sent.on("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, body: "", headers: response.headers });
    });
    sent.on("response", async (response: IncomingMessage) => {
      let body = "";
      for await (const chunk of response) body += chunk;
      resolve({ status: response.statusCode ?? 0, body, headers: response.headers });
    });
    sent.end();
  });
}

async function allow(
  { client }: ControlPlane,
  user: string,
  verbs: string[],
  resources: string[],
): Promise<void> {
  const apiGroup = "rbac.authorization.k8s.io";
  const rules = [{ apiGroups: [""], resources, verbs }];
  await client.resource(ClusterRole).create({ metadata: { name: user }, rules });
  const subject = user.startsWith("default:")
    ? { kind: "ServiceAccount", namespace: "default", name: user.slice("default:".length) }
    : { apiGroup, kind: "User", name: user };
  await client.resource(ClusterRoleBinding).create({
    metadata: { name: user },
    roleRef: { apiGroup, kind: "ClusterRole", name: user },
    subjects: [subject],
  });
}

const DOCUMENTS = {
  "/pods": /^\{"kind":"PodList","apiVersion":"v1","metadata":\{\},"items":\[\{"apiVersion":"v1","kind":"Pod"/,
  "/pods/": /"PodList"/,
  "/runningpods/": /^\{"kind":"PodList","apiVersion":"v1","metadata":\{\},"items":\[\]\}$/,
  "/healthz": /^ok$/,
  "/healthz/ping": /^ok$/,
  "/healthz/syncloop": /^ok$/,
  "/metrics": /^kubelet_up 1$/m,
  "/metrics/cadvisor": /^container_up 1$/m,
  "/metrics/resource": /^resource_up 1$/m,
  "/metrics/probes": /^probe_up 1$/m,
  "/stats/summary": /^\{"only":false\}$/,
  "/stats/summary?only_cpu_and_memory=true": /^\{"only":true\}$/,
  "/configz": /^\{"kubeletconfig":\{"kind":"KubeletConfiguration"\}\}$/,
};

test("a kubelet tells nothing to those who do not say who they are", async (t) => {
  const kubelet = await startKubelet(t);
  const now = new Date();
  const stranger = issueClientCertificate({
    ...{ ca: makeAuthority("kubernetes", now), name: "kube-apiserver-kubelet-client", now },
  });
  for (const path of [...Object.keys(DOCUMENTS), "/containerLogs/default/web/main", "/nowhere"]) {
    for (const asked of [{}, { pair: stranger }, { token: "nobody's" }]) {
      const { status, body } = await ask(kubelet, path, asked);
      assert.deepEqual([path, status, body], [path, 401, "Unauthorized"]);
    }
  }
});

test("a kubelet tells the API server everything", async (t) => {
  const kubelet = await startKubelet(t);
  const pair = kubelet.plane.pki.apiserverKubeletClient;
  for (const [path, expected] of Object.entries(DOCUMENTS)) {
    const { status, body } = await ask(kubelet, path, { pair });
    assert.equal(status, 200, `${path}: ${body}`);
    assert.match(body, expected, path);
  }
  assert.equal((await ask(kubelet, "/nowhere", { pair })).status, 404);
  assert.equal((await ask(kubelet, "/pods", { pair, method: "DELETE" })).status, 405);
  assert.equal((await ask(kubelet, "/checkpoint/default/web/main", { pair, method: "POST" })).status, 403);
});

test("a kubelet lets others see what they may, and no more", async (t) => {
  const kubelet = await startKubelet(t);
  const { plane } = kubelet;
  const nobody = plane.issue("nobody");
  const { status, body } = await ask(kubelet, "/pods", { pair: nobody });
  assert.deepEqual(
    [status, body],
    [403, "Forbidden (user=nobody, verb=get, resource=nodes, subresource(s)=[pods proxy])\n"],
  );
  await allow(plane, "default:scraper", ["get"], ["nodes/metrics", "nodes/pods"]);
  await plane.client.resource(ServiceAccount, "default").create({ metadata: { name: "scraper" } });
  const accounts = plane.client.resource(ServiceAccount, "default");
  const asked = { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { audiences: [] } };
  const answer = await accounts.createSubresource("scraper", "token", asked);
  const { token } = (answer as unknown as { status: { token: string } }).status;
  const seen = async (path: string, more: Asked) => (await ask(kubelet, path, more)).status;
  const expected = { "/metrics": 200, "/metrics/cadvisor": 200, "/pods": 200, "/runningpods": 200 };
  const hidden = {
    "/stats/summary": 403,
    "/configz": 403,
    "/healthz": 403,
    "/containerLogs/default/web/main": 403,
  };
  for (const [path, status] of Object.entries({ ...expected, ...hidden })) {
    assert.deepEqual([path, await seen(path, { token })], [path, status]);
  }
  await allow(plane, "proxied", ["get"], ["nodes/proxy"]);
  const pair = plane.issue("proxied");
  assert.equal(await seen("/configz", { pair }), 200, "what has no finer right");
  // Running something is no reading, whatever the method is.
  const upgrade = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13" };
  for (const path of [
    "/exec/default/web/main?command=ls&output=1",
    "/attach/default/web/main",
    "/portForward/default/web",
  ]) {
    assert.equal(await seen(path, { pair, headers: upgrade }), 403, path);
  }
  assert.equal(await seen("/run/default/web/main?cmd=ls", { pair, method: "POST" }), 403);
});

test("a kubelet shows the files below /var/log, and nothing that links lead to outside", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "kybern-logs-"));
  t.after(() => rm(folder, { recursive: true }));
  const systemLogs = join(folder, "log");
  await mkdir(join(systemLogs, "pods"), { recursive: true });
  await writeFile(join(folder, "secret"), "secret");
  await writeFile(join(systemLogs, "pods", "0.log"), "a line\n");
  await writeFile(join(systemLogs, "a & b.log"), "<script>");
  await writeFile(join(systemLogs, "empty"), "");
  await symlink("pods/0.log", join(systemLogs, "current"));
  await symlink("../secret", join(systemLogs, "out"));
  await symlink("/", join(systemLogs, "all"));
  const kubelet = await startKubelet(t, { systemLogs });
  await allow(kubelet.plane, "reader", ["get"], ["nodes/log"]);
  const pair = kubelet.plane.issue("reader");
  const see = async (path: string, method = "GET") => {
    const { status, body, headers } = await answerOf(kubelet, path, { pair, method });
    return [status, headers.location ?? headers["content-type"], body];
  };
  const text = "text/plain; charset=utf-8";
  const listing = [
    '<!doctype html>\n<meta name="viewport" content="width=device-width">\n<pre>\n',
    '<a href="a%20&amp;%20b.log">a &amp; b.log</a>\n<a href="all">all</a>\n<a href="current">current</a>\n',
    '<a href="empty">empty</a>\n<a href="out">out</a>\n<a href="pods/">pods/</a>\n</pre>\n',
  ];
  assert.deepEqual(await see("/logs/"), [200, "text/html; charset=utf-8", listing.join("")]);
  assert.deepEqual(await see("/logs/pods/0.log"), [200, text, "a line\n"]);
  assert.deepEqual(await see("/logs/pods/0.log", "HEAD"), [200, text, ""]);
  assert.deepEqual(await see("/logs/current"), [200, text, "a line\n"]);
  assert.deepEqual(await see("/logs/a%20&%20b.log"), [200, text, "<script>"]);
  assert.deepEqual(await see("/logs/empty"), [200, text, ""]);
  assert.deepEqual(await see("/logs"), [301, "logs/", ""]);
  assert.deepEqual(await see("/logs/pods"), [301, "pods/", ""]);
  assert.deepEqual(await see("/logs/pods/0.log/"), [301, "../0.log", ""]);
  for (const path of ["/logs/out", "/logs/all/", "/logs/all/etc/passwd"]) {
    assert.deepEqual(await see(path), [403, text, "403 Forbidden\n"], path);
  }
  for (const path of [
    "/logs/none",
    "/logs/empty/more",
    "/logs/../secret",
    "/logs/%2e%2e/secret",
    "/logs/..%2fsecret",
  ]) {
    assert.deepEqual(await see(path), [404, text, "404 page not found\n"], path);
  }
  assert.equal((await see("/logs/pods/0.log", "POST"))[0], 403, "one may get logs alone");
  const closed = await startKubelet(t);
  const answer = await ask(closed, "/logs/", { pair: closed.plane.issue("admin", ["system:masters"]) });
  assert.deepEqual([answer.status, answer.body], [405, "logs endpoint is disabled.\n"]);
});

test("a kubelet shows a new certificate, and knows a new authority, from when it is told", async (t) => {
  const kubelet = await startKubelet(t);
  const now = new Date();
  const shown = async (): Promise<PeerCertificate> => {
    const socket: TLSSocket = connect({ host: "127.0.0.1", port: kubelet.port, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    const certificate = socket.getPeerCertificate();
    socket.destroy();
    return certificate;
  };
  const next = issueCertificate(kubelet.plane.pki.ca, {
    subject: { commonName: "renewed" },
    usage: "server",
    ...validity(now, 1),
    addresses: ["127.0.0.1"],
  });
  assert.equal((await shown()).subject.CN, `system:node:${NODE}`);
  kubelet.renew({ cert: next.certificate, key: next.key });
  assert.equal((await shown()).subject.CN, "renewed");
  const ca = makeAuthority("next", now);
  const client = issueClientCertificate({ ca, name: "kube-apiserver-kubelet-client", now });
  assert.equal((await ask(kubelet, "/healthz", { pair: client })).status, 401);
  kubelet.trust(`${kubelet.plane.pki.ca.certificate}${ca.certificate}`);
  assert.equal((await ask(kubelet, "/healthz", { pair: client })).status, 200);
});

test("a runtime that does not upgrade gets nothing but the request", async (t) => {
  let received = "";
  let answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
  const runtime = createServer();
  runtime.on("upgrade", (incoming: IncomingMessage, socket: Socket) => {
    received += incoming.rawHeaders.join(" ");
    socket.on("data", (chunk) => {
      received += chunk;
    });
    socket.on("error", () => {});
    socket.end(answer);
  });
  await new Promise<void>((resolve) => runtime.listen(0, "127.0.0.1", resolve));
  t.after(() => runtime.close());
  const { port } = runtime.address() as AddressInfo;
  const kubelet = await startKubelet(t, { streams: `http://127.0.0.1:${port}/` });
  const pair = kubelet.plane.pki.apiserverKubeletClient;
  const headers = { connection: "Upgrade", upgrade: "SPDY/3.1", cookie: "secret=1" };
  const path = "/exec/default/web/main?command=ls&output=1";
  const asked = { pair, headers, method: "POST", token: "secret" };
  assert.equal((await ask(kubelet, path, asked)).status, 502);
  answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone";
  assert.deepEqual(await ask(kubelet, path, asked), { status: 404, body: "gone" });
  assert.doesNotMatch(received, /secret/);
  answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n";
  assert.equal((await ask(kubelet, path, asked)).status, 101);
  assert.deepEqual(await ask(kubelet, "/exec/default/web/other?output=1", asked), {
    status: 500,
    body: 'container not found ("other")',
  });
  assert.deepEqual(await ask(kubelet, "/exec/default/nobody/main?output=1", asked), {
    status: 404,
    body: "pod does not exist",
  });
  assert.deepEqual(await ask(kubelet, "/exec/default/web/main", asked), {
    status: 400,
    body: "you must specify at least 1 of stdin, stdout, stderr",
  });
});
