/**
 * What a node takes while nothing happens: memory on top of the control plane's, with pods running, and processor time.
 * Of the built program; the control plane beside it has as many pods on a node without a machine. As root.
 *
 *     node bench/node-idle.ts [--pods N] [--seconds N] [--installation DIRECTORY]
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { systemClock } from "../src/base/clock.ts";
import { type Client, openClient } from "../src/client/client.ts";
import { connectionOf } from "../src/client/kubeconfig/connection.ts";
import { HTTPSTransport } from "../src/client/transports/https-transport.ts";
import { Pod } from "../src/testing/index.ts";
import { BUSYBOX, startTestNode } from "../test/node/harness/test-node.ts";

const { values } = parseArgs({
  options: {
    pods: { type: "string", default: "30" },
    seconds: { type: "string", default: "60" },
    installation: { type: "string", default: fileURLToPath(new URL("..", import.meta.url)) },
  },
});

/** Milliseconds after which what a burst took is given back. */
const REST = 15_000;
const TICKS_A_SECOND = 100;

async function runPods(client: Client): Promise<void> {
  const pods = client.resource(Pod, "default");
  const { metadata } = await pods.list({ limit: 1 });
  const left = new Set(Array.from({ length: Number(values.pods) }, (_, i) => `pod-${i}`));
  const create = [...left].map((name) =>
    pods.create({
      metadata: { name },
      spec: { containers: [{ name: "c", image: BUSYBOX, command: ["/bin/sleep", "3600"] }] },
    }),
  );
  await Promise.all(create);
  for await (const { type, object } of pods.watch({ resourceVersion: metadata.resourceVersion })) {
    if (type === "MODIFIED" && object.status?.phase === "Running") left.delete(object.metadata.name!);
    if (left.size === 0) return;
  }
}

interface Usage {
  memory: number;
  /** Share of a core. */
  cpu: number;
}

async function usageOf(pid: number): Promise<Usage> {
  await delay(REST);
  const before = await ticks(pid);
  const began = performance.now();
  await delay(Number(values.seconds) * 1000);
  const spent = (await ticks(pid)) - before;
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const memory = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  return { memory, cpu: spent / TICKS_A_SECOND / ((performance.now() - began) / 1000) };
}

async function ticks(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]!.split(" ");
  return Number(fields[11]) + Number(fields[12]);
}

async function controlPlane(): Promise<Usage> {
  const directory = await mkdtemp(join(tmpdir(), "kybern-bench-"));
  const flags = ["--data-dir", directory, "--secure-port", "0", "--simulate-nodes", "1"];
  const child = spawn(process.execPath, [join(values.installation, "bin/kybern.js"), "server", ...flags], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  try {
    await new Promise<void>((ready) => {
      createInterface(child.stderr).on("line", (line) => / info ready/.test(line) && ready());
    });
    const connection = await connectionOf(await readFile(join(directory, "admin.conf"), "utf8"));
    const client = openClient(new HTTPSTransport({ ...connection, clock: systemClock }));
    await runPods(client);
    await client.close();
    return await usageOf(child.pid!);
  } finally {
    child.kill("SIGKILL");
    await rm(directory, { recursive: true, force: true });
  }
}

async function withNode(): Promise<Usage> {
  await using node = await startTestNode({ installation: values.installation });
  await runPods(node.client);
  return await usageOf(node.pid);
}

function told(what: string, { memory, cpu }: Usage): void {
  const load = loadavg()[0]!.toFixed(1);
  const share = (cpu * 100).toFixed(2);
  console.log(
    `${what.padEnd(28)} ${memory.toFixed(0)} MB resident, ${share} % of a core idle (load ${load})`,
  );
}

const [alone, node] = await Promise.all([controlPlane(), withNode()]);
told("control plane", alone);
told("control plane with the node", node);
console.log(`on top, at ${values.pods} pods`.padEnd(28), `${(node.memory - alone.memory).toFixed(0)} MB`);
