import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { createServer as createServer2, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import type { Container, Probe } from "../../api/schema/core.v1.generated.ts";
import { GrpcError } from "../../host/grpc/grpc-client.ts";
import { runProbe } from "./run-probe.ts";

async function listening(t: TestContext, answer: RequestListener): Promise<number> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A port that nobody listens at: systems give away others only. */
const CLOSED = 1;

const none = { execSync: async () => assert.fail("nothing is run") } as never;
/** Longer than any machine takes, where the probe does not say. */
const timeoutSeconds = 600;
const ask = (probe: Probe, container: Container = { name: "main" }, runtime = none) =>
  runProbe(runtime, { timeoutSeconds, ...probe }, { container, containerID: "c", podIP: "127.0.0.1" });

test("runProbe asks a path as its probe says, by the name of its port", async (t) => {
  let seen: unknown;
  const port = await listening(t, ({ url, headers }, response) => {
    seen = [url, headers["user-agent"], headers["x-own"], headers.host];
    response.end("fine");
  });
  const container = { name: "main", ports: [{ name: "web", containerPort: port }] };
  const httpHeaders = [
    { name: "X-Own", value: "1" },
    { name: "Host", value: "example.org" },
  ];
  const answer = await ask({ httpGet: { path: "/health?a=b", port: "web", httpHeaders } }, container);
  assert.deepEqual(answer, { result: "success", output: "fine" });
  assert.deepEqual(seen, ["/health?a=b", "kube-probe/1.36", "1", "example.org"]);
});

test("runProbe tells the status of an answer that is no success, and not what it says", async (t) => {
  const port = await listening(t, (_, response) => {
    response.statusCode = 500;
    response.end("secret");
  });
  const answer = await ask({ httpGet: { port } });
  assert.deepEqual(answer, { result: "failure", output: "HTTP probe failed with statuscode: 500" });
});

test("runProbe follows redirects on the same host alone", async (t) => {
  const asked: (string | undefined)[] = [];
  const port = await listening(t, ({ url }, response) => {
    asked.push(url);
    if (url === "/there") response.writeHead(302, { location: "/here" });
    if (url === "/away") response.writeHead(302, { location: "http://192.0.2.1/secret" });
    response.end();
  });
  assert.equal((await ask({ httpGet: { path: "/there", port } })).result, "success");
  assert.deepEqual(asked, ["/there", "/here"]);
  assert.equal((await ask({ httpGet: { path: "/away", port } })).result, "warning");
});

test("runProbe says that nobody listens", async () => {
  const port = CLOSED;
  const refused = `dial tcp 127.0.0.1:${port}: connect: connection refused`;
  const output = `Get "http://127.0.0.1:${port}/x": ${refused}`;
  assert.deepEqual(await ask({ httpGet: { path: "/x", port } }), { result: "failure", output });
  assert.deepEqual(await ask({ tcpSocket: { port } }), { result: "failure", output: refused });
});

test("runProbe connects to a socket", async (t) => {
  const port = await listening(t, () => {});
  assert.deepEqual(await ask({ tcpSocket: { port } }), { result: "success", output: "" });
});

test("runProbe gives up on who does not answer", async (t) => {
  const port = await listening(t, () => {});
  const { result, output } = await ask({ httpGet: { path: "/", port }, timeoutSeconds: 0.05 });
  assert.equal(result, "failure");
  assert.match(output, /context deadline exceeded \(Client.Timeout exceeded while awaiting headers\)$/);
});

test("runProbe goes by the exit code of a command", async () => {
  const runtime = (exitCode: number, timesOut = false) =>
    ({
      execSync: async () => {
        if (timesOut) throw new GrpcError(4, "timeout");
        return { exitCode, stdout: Buffer.from("out"), stderr: Buffer.from("err") };
      },
    }) as never;
  const exec = { command: ["check"] };
  assert.deepEqual(await ask({ exec }, undefined, runtime(0)), { result: "success", output: "outerr" });
  assert.deepEqual(await ask({ exec }, undefined, runtime(1)), { result: "failure", output: "outerr" });
  assert.equal((await ask({ exec }, undefined, runtime(0, true))).result, "failure");
  const broken = { execSync: async () => Promise.reject(new GrpcError(14, "away")) } as never;
  assert.equal((await ask({ exec }, undefined, broken)).result, "unknown");
});

test("runProbe cannot say anything of a port that is not there", async () => {
  const answer = await ask({ httpGet: { port: "none" } });
  assert.deepEqual(answer, { result: "unknown", output: `couldn't find port: "none" in container main` });
});

test("runProbe asks the health service of gRPC", async (t) => {
  let status = 1;
  const server = createServer2();
  server.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("data", () => {});
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  assert.equal((await ask({ grpc: { port } })).result, "success");
  status = 2;
  assert.deepEqual(await ask({ grpc: { port } }), {
    result: "failure",
    output: 'service unhealthy (responded with "NOT_SERVING")',
  });
  assert.equal((await ask({ grpc: { port: CLOSED } })).result, "failure");
});
