/** Starts what `kybern server` runs, in order, and ends it in the opposite one. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import { ipRange } from "../api/core/service/ip-range.ts";
import { startAPIServer } from "../apiserver/api-server.ts";
import { serve } from "../apiserver/http/server.ts";
import { systemClock } from "../base/clock.ts";
import type { ServerRun } from "../cli/verbs/server.ts";
import { makeKubeconfig } from "../cluster/kubeconfig/kubeconfig.ts";
import { ensurePKI, type PKI, type PKIRequest } from "../cluster/pki/ensure-pki.ts";
import { DECISIONS_PATH } from "../scheduler/decisions/explanation.ts";
import { type AutoCompaction, startAutoCompaction } from "../store/auto-compaction.ts";
import { keepCertificates, pkiDirectory, servingCertificates } from "./certificates.ts";
import { readDescriptions } from "./descriptions.ts";
import { LeaderElections } from "./leader-elections.ts";
import { logLine } from "./log.ts";
import { openStore } from "./open-store.ts";

/** Milliseconds that requests get to end once the server is told to stop. */
const GRACE = 5000;

/** Milliseconds of history that the store keeps, as upstream's etcd does. */
const HISTORY = 5 * 60_000;

export async function runServer(run: ServerRun): Promise<void> {
  const started = performance.now();
  const stopped = stopSignal();
  await mkdir(run.dataDir, { recursive: true, mode: 0o700 });
  const address = run.advertiseAddress ?? ownAddress(run.bindAddress);
  const serviceAddresses = run.serviceCIDRs.map((cidr) => ipRange(cidr).addressAt(0));
  const request = pkiRequest(run, address, serviceAddresses);
  let compaction: AutoCompaction | undefined;
  const [pki, store] = await Promise.all([
    ensurePKI({ ...request, now: new Date() }),
    // Where the disk is full, history is the first to go: objects and watches do not need it.
    openStore(run, () => compaction?.makeRoom()),
  ]);
  const tokenFile = run.tokenFile === undefined ? undefined : await readFile(run.tokenFile, "utf8");
  let port = run.securePort;
  const server = await startAPIServer({
    store,
    clock: systemClock,
    credentials: {
      clientCA: pki.ca.certificate,
      frontProxyCA: pki.frontProxyCA.certificate,
      serviceAccountPrivateKey: pki.serviceAccount.privateKey,
      serviceAccountPublicKeys: pki.serviceAccount.publicKey,
      tokenFile,
    },
    settings: { serviceCIDRs: run.serviceCIDRs, nodePortRange: run.nodePorts, dnsDomain: run.dnsDomain },
    admission: run.admission,
    descriptions: readDescriptions,
    advertise: () => (port === 0 ? undefined : { address, port }),
    log: logLine,
  });
  const elections = run.leaderElect ? new LeaderElections(systemClock, logLine) : undefined;
  if (elections) server.addMetrics(() => elections.exposition());
  const controllers = run.components.includes("controllers")
    ? (await import("./run-controllers.ts")).runControllers(server.handler, pki, systemClock, run, elections)
    : undefined;
  if (controllers) server.addMetrics(controllers.exposition);
  const scheduler = run.components.includes("scheduler")
    ? (await import("./run-scheduler.ts")).runScheduler({
        handler: server.handler,
        pki,
        clock: systemClock,
        informers: controllers?.informers,
        config: run.schedulerConfig,
        elections,
      })
    : undefined;
  if (scheduler) {
    server.addMetrics(scheduler.exposition);
    server.addDocuments(DECISIONS_PATH, scheduler.explain);
  }
  const simulation =
    run.simulateNodes > 0
      ? (await import("./run-simulation.ts")).simulateNodes(
          server.handler,
          pki,
          run.simulateNodes,
          controllers?.informers,
        )
      : undefined;
  compaction = startAutoCompaction({
    store,
    clock: systemClock,
    keepMs: HISTORY,
    failed: compactionFailed,
  });
  const listener = await serve({
    host: run.bindAddress,
    port: run.securePort,
    certificates: servingCertificates(pki),
    handler: server.handler,
  });
  port = listener.port;
  await server.advertise({ address, port });
  const certificates = keepCertificates(pki, request, systemClock, {
    serve: (fresh) => listener.renew(fresh),
    trust: (bundles) => server.auth.trust(bundles),
    renewed: (fresh) => {
      controllers?.renew(fresh);
      scheduler?.renew(fresh);
    },
    failed: (error) => logLine("warn", "certificates could not be renewed", { error: error.message }),
  });
  await Promise.all([writeAdminConfig(run, pki, port), controllers?.ready]);
  logLine("info", "ready", {
    address: `https://${address}:${port}`,
    kubeconfig: join(run.dataDir, "admin.conf"),
    milliseconds: Math.round(performance.now() - started),
  });
  await (elections ? Promise.race([stopped, elections.failed]) : stopped);
  certificates.close();
  compaction.close();
  await simulation?.stop();
  await scheduler?.stop();
  await controllers?.stop();
  server.drain();
  // Requests that are under way still need everything behind the socket.
  await listener.close(GRACE);
  await server.close();
  await store[Symbol.asyncDispose]();
  process.exit(0);
}

function compactionFailed(error: unknown): void {
  logLine("warn", "the store's history could not be compacted; it is tried again", { error: String(error) });
}

function pkiRequest(run: ServerRun, address: string, serviceAddresses: string[]): Omit<PKIRequest, "now"> {
  const extra = run.certificateNames;
  return {
    directory: pkiDirectory(run.dataDir),
    hostname: hostname(),
    dnsDomain: run.dnsDomain,
    serviceAddresses,
    names: extra.filter((name) => isIP(name) === 0),
    addresses: [address, ...extra.filter((name) => isIP(name) !== 0)],
  };
}

async function writeAdminConfig(run: ServerRun, pki: PKI, port: number): Promise<void> {
  const host = run.bindAddress === "0.0.0.0" || run.bindAddress === "::" ? "127.0.0.1" : run.bindAddress;
  const config = makeKubeconfig({
    server: `https://${host.includes(":") ? `[${host}]` : host}:${port}`,
    ca: pki.ca.certificate,
    certificate: pki.admin.certificate,
    key: pki.admin.key,
  });
  await writeFile(join(run.dataDir, "admin.conf"), `${JSON.stringify(config, undefined, 2)}\n`, {
    mode: 0o600,
  });
}

function ownAddress(bindAddress: string): string {
  if (bindAddress !== "0.0.0.0" && bindAddress !== "::") return bindAddress;
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, internal, family } of addresses ?? [])
      if (!internal && family === "IPv4") return address;
  }
  return "127.0.0.1";
}

/**
 * Resolves at the first SIGTERM or SIGINT. From now on none of them ends the process by itself: what they interrupt, the
 * start or the stop, goes on to its end.
 */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let told = false;
    const stop = (): void => {
      if (!told) logLine("info", "stopping");
      told = true;
      resolve();
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
}
