/** What a kubelet, or whoever sits at its address, can make the API server do: nothing that was not asked for. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createPlainServer } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { type TestContext, test } from "node:test";
import { connect, createServer as createTLSServer, type TLSSocket } from "node:tls";
import { Node } from "../../../src/api/core/node.ts";
import { Pod } from "../../../src/api/core/pod/pod.ts";
import { ClusterRole } from "../../../src/api/rbac/cluster-role.ts";
import { ClusterRoleBinding } from "../../../src/api/rbac/cluster-role-binding.ts";
import { issueCertificate, makeAuthority, validity } from "../../../src/cluster/pki/certificate.ts";
import { type ControlPlane, startControlPlane } from "./control-plane.ts";
import { openWebSocket, Refused } from "./websocket-client.ts";

const PODS = "/api/v1/namespaces/default/pods";
const EXEC = `${PODS}/web/exec?command=ls&stdout=1`;
const SPDY = "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n";

async function listening(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function podOn(plane: ControlPlane, node: string, name = "web"): Promise<void> {
  const spec = { nodeName: node, containers: [{ name: "main", image: "app:1" }] };
  await plane.client.resource(Pod, "default").create({ metadata: { name }, spec });
}

/** A connection as an administrator, for requests written by hand. */
async function raw({ pki, port, issue }: ControlPlane): Promise<TLSSocket> {
  const { certificate, key } = issue("admin", ["system:masters"]);
  const socket = connect({
    ...{ host: "127.0.0.1", port, ca: pki.ca.certificate, cert: certificate, key },
    ALPNProtocols: ["http/1.1"],
  });
  await once(socket, "secureConnect");
  return socket;
}

async function textOf(socket: TLSSocket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += chunk;
  return text;
}

async function askRaw(plane: ControlPlane, path: string, headers = ""): Promise<string> {
  const socket = await raw(plane);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers === "" ? "Connection: close\r\n" : headers}\r\n`,
  );
  return textOf(socket);
}

for (const code of [301, 302, 307, 308]) {
  test(`a redirect of the kubelet is not followed: ${code}`, async (t) => {
    const plane = await startControlPlane(t);
    let hits = 0;
    const canary = createPlainServer((_request, response) => {
      hits++;
      response.end();
    });
    const port = await listening(t, canary);
    const away = { location: `http://127.0.0.1:${port}/` };
    const kubelet = createServer(plane.kubeletCertificate(), (_request, response) => {
      response.writeHead(code, away).end("elsewhere");
    });
    kubelet.on("upgrade", (_request, socket) => {
      socket.end(`HTTP/1.1 ${code} Moved\r\nLocation: ${away.location}\r\nContent-Length: 0\r\n\r\n`);
    });
    await plane.createNode("evil", await listening(t, kubelet));
    await podOn(plane, "evil");
    for (const [path, headers] of [
      [EXEC, SPDY],
      [`${PODS}/web/portforward`, SPDY],
      [`${PODS}/web/log`, ""],
    ] as const) {
      const answer = await askRaw(plane, path, headers);
      assert.match(answer, /^HTTP\/1\.1 502 /, path);
      assert.doesNotMatch(answer, /location:/i, path);
    }
    const socket = await openWebSocket(plane, EXEC, { protocols: ["v5.channel.k8s.io"] });
    const status = JSON.parse((await socket.rest()).get(3) ?? "{}");
    assert.equal(status.code, 500);
    assert.equal(hits, 0);
  });
}

test("what a client sends behind a refused upgrade does not reach the kubelet", async (t) => {
  const plane = await startControlPlane(t);
  const { cert, key } = plane.kubeletCertificate();
  let received = "";
  // Answers, keeps the connection, and remembers all that comes on it.
  const kubelet = createTLSServer({ cert, key }, (socket) => {
    socket.on("data", (chunk) => {
      received += chunk;
      if (received.endsWith("\r\n\r\n"))
        socket.write("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    });
    socket.on("error", () => {});
  });
  await plane.createNode("evil", await listening(t, kubelet));
  await podOn(plane, "evil");
  const client = await raw(plane);
  client.write(`POST ${EXEC} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic c2VjcmV0\r\n${SPDY}\r\n`);
  client.write("GET /runningpods/ HTTP/1.1\r\nHost: smuggled\r\n\r\n");
  const answer = await textOf(client);
  assert.match(answer, /^HTTP\/1\.1 403 Forbidden\r\n/);
  assert.match(answer, /no$/);
  assert.match(received, /^POST \/exec\/default\/web\/main\?output=1&command=ls HTTP/);
  assert.doesNotMatch(received, /smuggled|authorization|c2VjcmV0/i);
});

test("a kubelet must show a certificate of the cluster, unless the client of a log says otherwise", async (t) => {
  const plane = await startControlPlane(t);
  const now = new Date();
  const { certificate, key } = issueCertificate(makeAuthority("another", now), {
    subject: { commonName: "system:node:evil", organizations: ["system:nodes"] },
    usage: "server",
    ...validity(now, 1),
    addresses: ["127.0.0.1"],
  });
  let asked = 0;
  const kubelet = createServer({ cert: certificate, key }, (_request, response) => {
    asked++;
    response.end("a line\n");
  });
  await plane.createNode("evil", await listening(t, kubelet));
  await podOn(plane, "evil");
  assert.match(await askRaw(plane, `${PODS}/web/log`), /^HTTP\/1\.1 500 [\s\S]*Get .*containerLogs/);
  assert.match(await askRaw(plane, EXEC, SPDY), /^HTTP\/1\.1 500 [\s\S]*error dialing backend/);
  assert.equal(asked, 0);
  const insecure = await askRaw(plane, `${PODS}/web/log?insecureSkipTLSVerifyBackend=true`);
  assert.match(insecure, /^HTTP\/1\.1 200 [\s\S]*a line\n/);
});

test("the proxy of a node refuses addresses of this machine, and asks for a name once", async (t) => {
  let answers = [["10.0.0.1", "127.0.0.1"], ["169.254.169.254"], []];
  const asked: string[] = [];
  const plane = await startControlPlane(t, {
    lookup: async (name) => {
      asked.push(name);
      return answers.shift() ?? ["127.0.0.1"];
    },
  });
  const addresses = [
    "127.0.0.1",
    "169.254.169.254",
    "::1",
    "::ffff:127.0.0.1",
    "0.0.0.0",
    "fe80::1",
    "224.0.0.1",
  ];
  for (const [i, address] of addresses.entries()) {
    await plane.createNode(`node-${i}`, 10250, address);
    for (const name of [`node-${i}`, `http:node-${i}:80`]) {
      const answer = await askRaw(plane, `/api/v1/nodes/${name}/proxy/metrics`);
      assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*address not allowed/, address);
    }
  }
  assert.deepEqual(asked, []);
  await plane.createNode("named", 10250, "flips.example.org");
  for (const says of ["address not allowed", "address not allowed", "no addresses for hostname"]) {
    const answer = await askRaw(plane, "/api/v1/nodes/named/proxy/metrics");
    assert.match(answer, new RegExp(`^HTTP/1\\.1 400 [\\s\\S]*${says}`));
  }
  assert.equal(asked.length, 3, "once for each request");
  answers = [];
});

test("a simulated node, whose address is made up, is not connected to", async (t) => {
  const plane = await startControlPlane(t);
  let connections = 0;
  const server = createPlainServer();
  server.on("connection", () => connections++);
  await plane.createNode("simulated", await listening(t, server));
  const labels = { "kybern.dev/simulated": "true" };
  await plane.client.resource(Node).patch("simulated", { metadata: { labels } }, { type: "merge" });
  await podOn(plane, "simulated");
  for (const path of [`${PODS}/web/log`, "/api/v1/nodes/simulated/proxy/metrics"]) {
    assert.match(await askRaw(plane, path), /^HTTP\/1\.1 503 [\s\S]*is simulated: no kubelet runs there/);
  }
  assert.match(await askRaw(plane, EXEC, SPDY), /^HTTP\/1\.1 503 /);
  assert.equal(connections, 0);
});

test("a stream needs the right to create, by WebSocket too", async (t) => {
  const plane = await startControlPlane(t);
  const kubelet = createServer(plane.kubeletCertificate(), (_request, response) => {
    response.end();
  });
  await plane.createNode("worker", await listening(t, kubelet));
  await podOn(plane, "worker");
  const rule = {
    apiGroups: [""],
    resources: ["pods/exec", "pods/attach", "pods/portforward", "nodes/proxy"],
  };
  await plane.client
    .resource(ClusterRole)
    .create({ metadata: { name: "reader" }, rules: [{ ...rule, verbs: ["get"] }] });
  const apiGroup = "rbac.authorization.k8s.io";
  await plane.client.resource(ClusterRoleBinding).create({
    metadata: { name: "reader" },
    roleRef: { apiGroup, kind: "ClusterRole", name: "reader" },
    subjects: [{ apiGroup, kind: "User", name: "reader" }],
  });
  const asked = { user: "reader", groups: [], protocols: ["v5.channel.k8s.io"] };
  for (const path of [
    EXEC,
    `${PODS}/web/attach?stdout=1`,
    `${PODS}/web/portforward`,
    "/api/v1/nodes/worker/proxy/exec/a/b/c",
  ]) {
    await assert.rejects(openWebSocket(plane, path, asked), (error: Refused) => {
      assert.ok(error instanceof Refused, String(error));
      assert.equal(error.status, 403);
      assert.match(error.body, /User \\"reader\\" cannot create resource/);
      return true;
    });
  }
});

test("streams are counted as connections that last", async (t) => {
  const plane = await startControlPlane(t);
  const kubelet = createServer(plane.kubeletCertificate());
  const upgraded = once(kubelet, "upgrade");
  const port = await listening(t, kubelet);
  await plane.createNode("worker", port);
  await podOn(plane, "worker");
  const client = await raw(plane);
  client.write(`POST ${EXEC} HTTP/1.1\r\nHost: x\r\n${SPDY}\r\n`);
  const [, backend] = (await upgraded) as [unknown, TLSSocket];
  backend.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nhello");
  const [first] = (await once(client, "data")) as [Buffer];
  assert.match(first.toString(), /^HTTP\/1\.1 101 /);
  const figures = async () => (await askRaw(plane, "/metrics")).split("\n");
  const series = (lines: string[], name: string) =>
    lines.find((line) => line.startsWith(`${name}{`) && line.includes('subresource="exec"'));
  const labels = /resource="pods",scope="resource",subresource="exec",verb="CONNECT",version="v1"/;
  assert.match(series(await figures(), "apiserver_longrunning_requests") ?? "", labels);
  assert.match(series(await figures(), "apiserver_longrunning_requests") ?? "", / 1$/);
  backend.end();
  client.resume();
  await once(client, "close");
  const after = await figures();
  assert.match(series(after, "apiserver_longrunning_requests") ?? "", / 0$/);
  assert.match(series(after, "apiserver_request_total") ?? "", /code="101".* 1$/);
});
