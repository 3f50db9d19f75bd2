/** Starts what `kybern server` runs, in order, and ends it in the opposite one. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { join } from "node:path";
import { UsageStore } from "../addons/metrics/usage-store.ts";
import { ipRange } from "../api/core/service/ip-range.ts";
import { resources } from "../api/index.ts";
import { metricsResources } from "../api/metrics/index.ts";
import { startAPIServer } from "../apiserver/api-server.ts";
import { serve } from "../apiserver/http/server.ts";
import { VERSION } from "../apiserver/version.ts";
import { systemClock } from "../base/clock.ts";
import type { ServerRun } from "../cli/verbs/server.ts";
import { requestFromOutside } from "../client/background.ts";
import { StatusBoard } from "../cluster/cluster-status.ts";
import { makeKubeconfig } from "../cluster/kubeconfig/kubeconfig.ts";
import { layoutOf } from "../cluster/layout.ts";
import { ensurePKI, type PKI, type PKIRequest } from "../cluster/pki/ensure-pki.ts";
import { nodeAddresses } from "../host/machine/addresses.ts";
import { type AutoCompaction, startAutoCompaction } from "../store/auto-compaction.ts";
import { asBackgroundProgram } from "./background-program.ts";
import { keepCertificates, pkiDirectory, servingCertificates } from "./certificates.ts";
import { startComponents } from "./components.ts";
import { readDescriptions } from "./descriptions.ts";
import { compactHeap, IdleMemory, memorySize } from "./idle-memory.ts";
import { logLine } from "./log.ts";
import { openStore } from "./open-store.ts";
import { stopSignal } from "./stop-signal.ts";

/** Milliseconds that requests get to end once the server is told to stop. */
const GRACE = 5000;

/** Milliseconds of history that the store keeps, as upstream's etcd does. */
const HISTORY = 5 * 60_000;

export async function runServer(run: ServerRun): Promise<void> {
  const started = performance.now();
  const stopped = stopSignal();
  const layout = layoutOf(run.dataDir);
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
  const board = new StatusBoard(
    {
      version: VERSION.gitVersion,
      pid: process.pid,
      started: systemClock.now(),
      role: "server",
      server: addressText(address, run.securePort),
    },
    () => systemClock.now(),
  );
  // From here on this is the only process that uses the data directory.
  const telling = await board.serve(layout.statusSocket);
  board.set("API server", "starting");
  const tokenFile = run.tokenFile === undefined ? undefined : await readFile(run.tokenFile, "utf8");
  let port = run.securePort;
  let shown = pki;
  const usage = new UsageStore();
  const server = await startAPIServer({
    store,
    resources: [...resources, ...metricsResources(usage)],
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
    kubelet: { credentials: () => kubeletCredentials(shown) },
    sharedStore: run.store.kind === "etcd",
    advertise: () => (port === 0 ? undefined : { address, port }),
    log: logLine,
  });
  const components = await startComponents({ server, pki, clock: systemClock, run, layout, board, usage });
  compaction = startAutoCompaction({
    store,
    clock: systemClock,
    keepMs: HISTORY,
    failed: compactionFailed,
  });
  const memory = new IdleMemory({ clock: systemClock, size: memorySize, compact: compactHeap });
  const listener = await serve({
    host: run.bindAddress,
    port: run.securePort,
    certificates: servingCertificates(pki),
    handler(exchange) {
      requestFromOutside();
      memory.requested();
      server.handler(exchange);
    },
  });
  port = listener.port;
  await server.advertise({ address, port });
  board.tell({ server: addressText(address, port) });
  board.set("API server", "running", addressText(address, port));
  const certificates = keepCertificates(pki, request, systemClock, {
    serve: (fresh) => listener.renew(fresh),
    trust: (bundles) => server.auth.trust(bundles),
    renewed(fresh) {
      shown = fresh;
      components.renew(fresh);
    },
    failed: (error) => logLine("warn", "certificates could not be renewed", { error: error.message }),
  });
  await Promise.all([writeAdminConfig(run, pki, port), components.ready]);
  logLine("info", "ready", {
    address: `https://${address}:${port}`,
    kubeconfig: join(run.dataDir, "admin.conf"),
    milliseconds: Math.round(performance.now() - started),
  });
  const background = asBackgroundProgram(layout, run.advertiseAddress, systemClock);
  await Promise.race([stopped, background.again, ...(components.failed ? [components.failed] : [])]);
  background.close();
  certificates.close();
  compaction.close();
  await components.stop();
  server.drain();
  // Requests that are under way still need everything behind the socket.
  await listener.close(GRACE);
  await server.close();
  await store[Symbol.asyncDispose]();
  await telling.close();
  await background.end();
  process.exit();
}

function kubeletCredentials({ apiserverKubeletClient, ca }: PKI) {
  const { certificate, key } = apiserverKubeletClient;
  return { cert: certificate, key, ca: ca.certificate };
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

function addressText(address: string, port: number): string {
  return `https://${address.includes(":") ? `[${address}]` : address}:${port}`;
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
  return nodeAddresses()[0] ?? "127.0.0.1";
}
