/** Simulated nodes: for a server elsewhere, by a kubeconfig, or in the process of the server. */
import { randomInt } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Handler } from "../apiserver/handler.ts";
import { dispatchTo } from "../apiserver/http/dispatch.ts";
import { VERSION } from "../apiserver/version.ts";
import { systemClock } from "../base/clock.ts";
import { seededRandom } from "../base/random.ts";
import { UsageError } from "../cli/verb.ts";
import type { SimulateRun } from "../cli/verbs/simulate.ts";
import { openClient } from "../client/client.ts";
import type { Informers } from "../client/informer/informers.ts";
import { readConnection } from "../client/kubeconfig/connection.ts";
import { HTTPSTransport } from "../client/transports/https-transport.ts";
import { InProcessTransport } from "../client/transports/in-process-transport.ts";
import type { StatusBoard } from "../cluster/cluster-status.ts";
import { derOf } from "../cluster/pki/certificate.ts";
import type { PKI } from "../cluster/pki/ensure-pki.ts";
import { parseYAML } from "../machinery/yaml/yaml.ts";
import { nodeShapes } from "../simulate/node-shape.ts";
import { readStages } from "../simulate/read-stages.ts";
import { type Simulation, startSimulation } from "../simulate/simulation.ts";
import type { Stage } from "../simulate/stage.ts";
import { logLine } from "./log.ts";

/** Milliseconds between two lines of the log about failures. */
const SELDOM = 5000;
const USER_AGENT = "kybern-simulate";

export async function runSimulation(run: SimulateRun): Promise<void> {
  const started = performance.now();
  const stages = run.stages === undefined ? [] : await stagesOf(run.stages);
  const connection = await readConnection(run.kubeconfig).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new UsageError(`there is no ${run.kubeconfig}: say which cluster with --kubeconfig or --data-dir.`);
  });
  const seed = run.seed ?? randomInt(2 ** 32);
  const client = openClient(new HTTPSTransport({ ...connection, clock: systemClock }), {
    userAgent: USER_AGENT,
  });
  const { nodes: count, prefix, zones, capacity, labels, taints } = run;
  const simulation = startSimulation({
    client,
    clock: systemClock,
    random: seededRandom(seed),
    nodes: nodeShapes({ count, prefix, zones, capacity, labels, taints }),
    stages,
    kubeletVersion: VERSION.gitVersion,
    failed: seldom(),
  });
  const stopped = Promise.withResolvers<void>();
  process.once("SIGTERM", () => stopped.resolve());
  process.once("SIGINT", () => stopped.resolve());
  const isReady = await Promise.race([simulation.ready.then(() => true), stopped.promise]);
  if (isReady) {
    const milliseconds = Math.round(performance.now() - started);
    logLine("info", "ready", { nodes: count, server: connection.server, seed, milliseconds });
  }
  await stopped.promise;
  logLine("info", "stopping");
  await simulation.stop();
  await client.close();
}

/** In the process of the server, as its administrator. */
export function simulateNodes(
  handler: Handler,
  { admin }: PKI,
  count: number,
  informers: Informers | undefined,
  board: StatusBoard,
): Simulation {
  const certificate = { raw: derOf(admin.certificate) };
  const transport = new InProcessTransport(dispatchTo(handler, () => certificate));
  const simulation = startSimulation({
    client: openClient(transport, { userAgent: USER_AGENT }),
    informers,
    clock: systemClock,
    random: Math.random,
    nodes: nodeShapes({ count }),
    kubeletVersion: VERSION.gitVersion,
    failed: seldom(),
  });
  logLine("info", "the nodes are simulated: pods go through their phases, and no container is started", {
    nodes: count,
  });
  const node = { name: "node-0", simulated: count };
  board.tell({ node: { ...node, ready: false, message: "not registered yet" } });
  simulation.ready.then(
    () => board.tell({ node: { ...node, ready: true, message: "" } }),
    (error: unknown) => logLine("error", "nodes are missing", { error: String(error) }),
  );
  return simulation;
}

async function stagesOf(file: string): Promise<Stage[]> {
  try {
    return readStages(parseYAML(await readFile(file, "utf8")));
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`);
  }
}

function seldom(): (what: string, error: unknown) => void {
  let next = 0;
  let kept = 0;
  return (what, error) => {
    const now = systemClock.now();
    if (now < next) {
      kept++;
      return;
    }
    next = now + SELDOM;
    logLine("warn", "a write or watch failed, and is tried again", {
      what,
      error: String(error),
      more: kept,
    });
    kept = 0;
  };
}
