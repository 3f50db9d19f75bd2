/** The proxies of pods, services and nodes, to real servers in containers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { test } from "node:test";
import { Service } from "../../src/api/core/services.ts";
import { EndpointSlice } from "../../src/api/discovery/endpoint-slice.ts";
import { NODE } from "../contract/streaming/control-plane.ts";
import { cannotRunContainers } from "./harness/machine.ts";
import { type StreamingCluster, startStreamingCluster } from "./streaming-cluster.ts";

const PAGE = '<a href="/rewriteme">test</a><!-- <a href="/left"> --><script>"<a href=\'/left\'>"</script>';
const CGI = `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
echo "$REQUEST_METHOD $QUERY_STRING \${HTTP_AUTHORIZATION:-none} $(cat)"`;
const UPGRADE = `read -r line; echo "asked $line" >> /tmp/asked
printf 'HTTP/1.1 101 Switching Protocols\\r\\nConnection: Upgrade\\r\\nUpgrade: echo\\r\\n\\r\\n'; cat`;

const SCRIPT = [
  "mkdir -p /www/cgi-bin /www/folder; cd /www",
  `cat > index.html <<'X'\n${PAGE}\nX`,
  `cat > cgi-bin/show <<'X'\n${CGI}\nX`,
  `cat > /up <<'X'\n${UPGRADE}\nX`,
  "chmod +x cgi-bin/show /up; echo inside > folder/index.html",
  "nc -ll -p 9000 -e /bin/sh /up &",
  "httpd -f -p 8080 -h /www",
].join("\n");

interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

function ask(
  cluster: StreamingCluster,
  method: string,
  path: string,
  { body = "", headers = {} }: { body?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { ca } = cluster.pki;
  const { certificate, key } = cluster.plane.issue("admin", ["system:masters"]);
  return new Promise((resolve, reject) => {
    const request = httpsRequest(`${cluster.url}${path}`, {
      ...{ method, headers, ca: ca.certificate, cert: certificate, key, agent: false },
    });
    request.on("error", reject);
    request.on("response", async (response) => {
      const parts: Buffer[] = [];
      for await (const part of response) parts.push(part);
      const text = Buffer.concat(parts).toString();
      resolve({ status: response.statusCode!, headers: response.headers, body: text });
    });
    request.end(body);
  });
}

test("proxies", { skip: cannotRunContainers }, async (t) => {
  const cluster = await startStreamingCluster(t);
  const pod = await cluster.runPod("web", [
    { name: "main", command: ["/bin/sh", "-c", SCRIPT], ports: [{ containerPort: 8080 }] },
  ]);
  await cluster.listens(pod, 8080);
  await cluster.listens(pod, 9000);
  const pods = "/api/v1/namespaces/default/pods";
  const get = (path: string) => ask(cluster, "GET", path);

  await t.test("a pod's page comes with its links below the proxy", async () => {
    const root = `${pods}/http:web:8080/proxy`;
    const { status, body } = await get(`${root}/`);
    assert.equal(status, 200);
    const expected = PAGE.replace('<a href="/rewriteme">', `<a href="${root}/rewriteme">`);
    assert.equal(body, `${expected}\n`);
    assert.equal((await get(`${pods}/web/proxy/folder/index.html`)).body, "inside\n", "the pod's first port");
  });

  await t.test("redirects stay below the proxy, and the proxy itself is a folder", async () => {
    const folder = await get(`${pods}/web:8080/proxy/folder`);
    assert.equal(folder.status, 302);
    assert.equal(folder.headers.location, `${pods}/web:8080/proxy/folder/`);
    const top = await get(`${pods}/web:8080/proxy?x=1`);
    assert.equal(top.status, 301);
    assert.equal(top.headers.location, `${pods}/web:8080/proxy/?x=1`);
  });

  await t.test("methods, queries and bodies go through, credentials do not", async () => {
    const path = `${pods}/web:8080/proxy/cgi-bin/show?a=b`;
    const sent = await ask(cluster, "POST", path, { body: "text", headers: { authorization: "Basic eDp5" } });
    assert.equal(sent.body, "POST a=b none text\n");
    assert.equal((await ask(cluster, "HEAD", `${pods}/web:8080/proxy/folder/index.html`)).status, 200);
    const missing = await get(`${pods}/web:8080/proxy/missing`);
    assert.equal(missing.status, 404);
    assert.match(missing.body, /<H1>404 Not Found<\/H1>/);
  });

  await t.test("an upgrade goes through byte for byte", async () => {
    const { certificate, key } = cluster.plane.issue("admin", ["system:masters"]);
    const request = httpsRequest(`${cluster.url}${pods}/web:9000/proxy/`, {
      headers: { connection: "upgrade", upgrade: "echo" },
      ...{ ca: cluster.pki.ca.certificate, cert: certificate, key, agent: false },
    });
    request.end();
    const [response, socket] = (await once(request, "upgrade")) as [{ statusCode: number }, Socket];
    assert.equal(response.statusCode, 101);
    socket.write("to and fro");
    let said = "";
    for await (const chunk of socket) {
      said += chunk;
      if (said.endsWith("to and fro")) break;
    }
    // What nc's program has not read of the request's head comes back first.
    assert.match(said, /to and fro$/);
  });

  await t.test("a service leads to a ready pod of its own", async () => {
    const { client } = cluster;
    const metadata = { name: "site" };
    const ports = [{ name: "page", port: 80, targetPort: 8080 }];
    await client.resource(Service, "default").create({ metadata, spec: { ports } });
    const none = await get("/api/v1/namespaces/default/services/site:page/proxy/");
    assert.equal(none.status, 503);
    assert.match(none.body, /no endpoints available for service \\"site\\"/);
    const ip = await cluster.podIP("web");
    const slice = (name: string, targetRef?: object) => ({
      metadata: { name, labels: { "kubernetes.io/service-name": "site" } },
      addressType: "IPv4" as const,
      endpoints: [{ addresses: [ip], conditions: { ready: true }, ...(targetRef ? { targetRef } : {}) }],
      ports: [{ name: "page", port: 8080, protocol: "TCP" as const }],
    });
    const slices = client.resource(EndpointSlice, "default");
    await slices.create(slice("unowned"));
    const unowned = await get("/api/v1/namespaces/default/services/site:page/proxy/");
    assert.equal(unowned.status, 503, "an address that no pod is said to have is not reached");
    await slices.create(slice("owned", { kind: "Pod", name: "web", namespace: "default" }));
    for (const name of ["site:page", "site:80", "http:site:page"]) {
      const { status, body } = await get(`/api/v1/namespaces/default/services/${name}/proxy/folder/`);
      assert.deepEqual([name, status, body], [name, 200, "inside\n"]);
    }
    const wrong = await get("/api/v1/namespaces/default/services/site:81/proxy/");
    assert.match(wrong.body, /no service port 81 found for service \\"site\\"/);
  });

  await t.test("what is refused names its reason", async () => {
    const closed = await get(`${pods}/web:8081/proxy/`);
    assert.equal(closed.status, 503);
    assert.match(
      closed.body,
      /error trying to reach service: dial tcp [\d.]+:8081: connect: connection refused/,
    );
    assert.match((await get(`${pods}/ftp:web:21/proxy/`)).body, /invalid pod request \\"ftp:web:21\\"/);
    assert.equal((await get(`${pods}/nobody/proxy/`)).status, 404);
    const node = await get(`/api/v1/nodes/${NODE}/proxy/metrics`);
    assert.equal(node.status, 400);
    assert.match(node.body, /address not allowed/, "this node's address is the machine's own");
  });
});
