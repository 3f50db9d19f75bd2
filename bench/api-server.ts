/**
 * The API server under load, from another process over TLS and HTTP/2: one figure a line.
 *
 *   node bench/api-server.ts [COUNT] [-- more flags of `kybern server`]     (COUNT objects of each kind, 5000 by default)
 *
 * The server is the built one where there is a build. Load and server share the machine, so figures of one machine
 * compare only with each other.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { readConnection } from "../src/client/kubeconfig/connection.ts";

const count = Number(process.argv[2] ?? 5000);
const PODS = "/api/v1/namespaces/default/pods";
const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

const configMap = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { generateName: "bench-", labels: { app: "bench" } },
  data: { k: "v", "config.yaml": "a: 1\nb: 2\n" },
};
const pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { generateName: "bench-", labels: { app: "bench", tier: "web" } },
  spec: {
    containers: [
      {
        name: "c",
        image: "nginx:1.27",
        ports: [{ containerPort: 80 }],
        resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { cpu: "200m", memory: "128Mi" } },
        env: [{ name: "A", value: "1" }],
        livenessProbe: { httpGet: { path: "/", port: 80 }, periodSeconds: 10 },
      },
    ],
  },
};

interface Answer {
  status: number;
  size: number;
  body: string;
}

interface Server {
  process: ChildProcess;
  sessions: ClientHttp2Session[];
  readyAfter: number;
  pid: number;
}

function ask(
  session: ClientHttp2Session,
  method: string,
  path: string,
  body?: string,
  keep = false,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": method,
      ":path": path,
      "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
    });
    let status = 0;
    let size = 0;
    const chunks: Buffer[] = [];
    stream.on("response", (headers) => {
      status = headers[":status"] ?? 0;
    });
    stream.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (keep) chunks.push(chunk);
    });
    stream.on("end", () => resolve({ status, size, body: Buffer.concat(chunks).toString() }));
    stream.on("error", reject);
    stream.end(body);
  });
}

async function startServer(folder: string): Promise<Server> {
  const started = performance.now();
  const bin = new URL("../bin/kybern.js", import.meta.url).pathname;
  const flags = ["server", "--data-dir", folder, "--secure-port", "0", "--bind-address", "127.0.0.1"];
  const child = spawn(process.execPath, [bin, ...flags, ...process.argv.slice(3).filter((a) => a !== "--")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  for await (const line of createInterface({ input: child.stderr! })) if (line.includes(" ready ")) break;
  const readyAfter = performance.now() - started;
  child.stderr!.resume();
  const connection = await readConnection(join(folder, "admin.conf"));
  const { server, ca, cert, key } = connection;
  const sessions = Array.from({ length: 4 }, () => connect(server, { ca, cert, key }));
  await Promise.all(sessions.map((session) => once(session, "connect")));
  return { process: child, sessions, readyAfter, pid: child.pid! };
}

/** Runs `work` `total` times, `inFlight` at once, and prints how many a second. */
async function rate(
  name: string,
  total: number,
  inFlight: number,
  work: (i: number) => Promise<Answer>,
  want: number,
) {
  let next = 0;
  let wrong = 0;
  const begun = performance.now();
  const runner = async (): Promise<void> => {
    while (next < total) {
      const { status } = await work(next++);
      if (status !== want) wrong++;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, runner));
  const seconds = (performance.now() - begun) / 1000;
  console.log(
    `${name} ${(total / seconds).toFixed(0)} /s${wrong > 0 ? ` (${wrong} of ${total} not ${want})` : ""}`,
  );
}

async function resident(pid: number): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return `${(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024).toFixed(0)} MB`;
}

async function fanOut({ sessions }: Server, watchers: number, patches: number): Promise<void> {
  const [session] = sessions as [ClientHttp2Session];
  await ask(session, "POST", CONFIG_MAPS, JSON.stringify({ ...configMap, metadata: { name: "fanout" } }));
  const late: number[] = [];
  const all = Promise.withResolvers<void>();
  const seen = Array.from({ length: watchers }, (_, i) => {
    const first = Promise.withResolvers<void>();
    const stream = sessions[i % 4]!.request({
      ":path": `${CONFIG_MAPS}?watch=1&fieldSelector=metadata.name%3Dfanout`,
    });
    let rest = "";
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      first.resolve();
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const sent = /"t":"(\d+\.\d+)"/.exec(line);
        if (sent) late.push(performance.now() - Number(sent[1]));
      }
      if (late.length === watchers * patches) all.resolve();
    });
    return first.promise;
  });
  await Promise.all(seen);
  const begun = performance.now();
  for (let i = 0; i < patches; i++) {
    const body = JSON.stringify({ data: { t: performance.now().toFixed(3) } });
    await ask(sessions[i % 4]!, "PATCH", `${CONFIG_MAPS}/fanout`, body);
  }
  await all.promise;
  const seconds = (performance.now() - begun) / 1000;
  late.sort((a, b) => a - b);
  const at = (share: number): string => `${late[Math.floor(late.length * share)]!.toFixed(1)} ms`;
  console.log(
    `watch fan-out, ${watchers} watchers ${(late.length / seconds).toFixed(0)} events/s p50 ${at(0.5)} p99 ${at(0.99)}`,
  );
}

const folder = await mkdtemp(join(tmpdir(), "kybern-bench-"));
const server = await startServer(folder);
try {
  const { sessions, pid } = server;
  const on = (i: number): ClientHttp2Session => sessions[i % 4]!;
  const [first] = sessions as [ClientHttp2Session];
  console.log(`ready after start ${server.readyAfter.toFixed(0)} ms`);
  console.log(`resident after start ${await resident(pid)}`);
  const cm = JSON.stringify(configMap);
  const one = JSON.stringify(pod);
  await rate("create configmap, 64 in flight", count, 64, (i) => ask(on(i), "POST", CONFIG_MAPS, cm), 201);
  await rate("create pod, 64 in flight", count, 64, (i) => ask(on(i), "POST", PODS, one), 201);
  await rate("create pod, one at a time", Math.min(500, count), 1, () => ask(first, "POST", PODS, one), 201);
  const { body } = await ask(first, "GET", `${PODS}?limit=1`, undefined, true);
  const name = (JSON.parse(body) as { items: { metadata: { name: string } }[] }).items[0]!.metadata.name;
  await rate("get pod, 64 in flight", count * 4, 64, (i) => ask(on(i), "GET", `${PODS}/${name}`), 200);
  const begun = performance.now();
  const { size } = await ask(first, "GET", "/api/v1/pods");
  console.log(`list all pods, ${(size / 1e6).toFixed(1)} MB ${(performance.now() - begun).toFixed(0)} ms`);
  await rate("list limit=500, 4 in flight", 200, 4, (i) => ask(on(i), "GET", "/api/v1/pods?limit=500"), 200);
  const none = `${PODS}?labelSelector=app%3Dother`;
  await rate(
    "list, selector that matches nothing, 4 in flight",
    4000,
    4,
    (i) => ask(on(i), "GET", none),
    200,
  );
  await fanOut(server, 200, 500);
  console.log(`resident after load ${await resident(pid)}`);
} finally {
  for (const session of server.sessions) session.destroy();
  server.process.kill("SIGTERM");
  await once(server.process, "exit");
  await rm(folder, { recursive: true, force: true });
}
