/** The cluster's DNS on one node: docs/decisions/2026-11-21-dns-on-every-node.md */
import { Node } from "../../api/core/node.ts";
import { WorkQueue } from "../../client/work-queue/work-queue.ts";
import { type RunCommand, runCommand } from "../../host/command.ts";
import { openNft } from "../../host/nftables/nft.ts";
import { DNS_METRICS_PORT, DNS_PORT } from "./annotations.ts";
import { watchClients } from "./clients.ts";
import { DNSMetrics } from "./dns-metrics.ts";
import { type DNS, DNS_NAMES, type DNSNames, type DNSOptions } from "./dns-options.ts";
import { Doors } from "./doors.ts";
import { Forwarder } from "./forward/forwarder.ts";
import { Loops } from "./forward/loops.ts";
import { followResolvConf } from "./forward/resolv-conf.ts";
import { Responder } from "./server/responder.ts";
import { removeAddresses } from "./service-addresses.ts";
import { addressBytes } from "./zone/address.ts";
import { watchObjects } from "./zone/cluster-objects.ts";
import { ClusterZone } from "./zone/cluster-zone.ts";

const RESOLV_CONF = "/etc/resolv.conf";
const WORK = "dns";
const RETRY = { first: 200, longest: 30_000 };
/** Milliseconds after which addresses and rules are looked for: nothing tells that somebody removed them. */
const CHECK = 30_000;

export function startDNS(options: DNSOptions): DNS {
  const { clock, random, log, clusterDNS, run = runCommand } = options;
  const names = { ...DNS_NAMES, ...options.names };
  const objects = watchObjects(options.informers);
  const nodes = options.informers.of(Node);
  const clients = watchClients(nodes, [...options.nodeIPs, ...clusterDNS], options.clusterCIDRs);
  nodes.start();
  const metrics: DNSMetrics = new DNSMetrics(
    options.clusterDomain,
    () => forwarder.cached,
    () => forwarder.rejected,
  );
  const forwarder = new Forwarder({
    clock,
    random,
    port: options.resolverPort,
    asked: (server, rcode, milliseconds) => metrics.forwarded(server, rcode, milliseconds),
  });
  const resolvers = useResolvers(options, forwarder);
  const started = Math.floor(clock.now() / 1000);
  const servers = clusterDNS.flatMap((address) => addressBytes(address) ?? []);
  const zone = new ClusterZone({
    domain: options.clusterDomain,
    objects,
    servers: { v4: servers.filter((a) => a.length === 4), v6: servers.filter((a) => a.length === 16) },
    serial: () => started + objects.changes,
  });
  const responder = new Responder({
    zone,
    isComplete: () => objects.isComplete,
    forwarder,
    loops: resolvers.loops,
    failed(error) {
      metrics.failed();
      log("error", "a DNS query could not be answered", { error: String((error as Error)?.stack ?? error) });
    },
  });
  const doors = new Doors({ ...options, names, run, clients, responder, metrics });
  const queue = new WorkQueue({
    clock,
    retry: RETRY,
    async work() {
      await doors.open();
      await tellPorts(options, names, doors);
      return { after: CHECK };
    },
    failed(_, error, attempt) {
      if (attempt === 3) log("error", "DNS cannot be served here", { error: String(error) });
    },
  });
  queue.start();
  queue.add(WORK);
  const unsubscribe = nodes.subscribe(({ key, now, was }) => {
    if (key === options.nodeName && now && (!was || portsOf(now) !== portsOf(was))) queue.add(WORK);
  });
  return {
    ready: Promise.all([objects.complete, doors.opened]).then(() => {}),
    exposition: () => metrics.exposition(),
    async stop() {
      unsubscribe();
      await queue.close();
      resolvers.stop();
      objects.stop();
      clients.stop();
      await doors.close();
    },
  };
}

/** Takes away what `startDNS` made under these names, also of one that was killed. Any number of times. */
export async function cleanUpDNS(options: {
  run?: RunCommand;
  clusterDNS: readonly string[];
  names?: Partial<DNSNames>;
}): Promise<void> {
  const { run = runCommand, clusterDNS } = options;
  const { table } = { ...DNS_NAMES, ...options.names };
  await openNft({ run }).apply(`add table inet ${table}\ndelete table inet ${table}\n`);
  await removeAddresses(run, clusterDNS);
}

/** Follows the host's resolvers, but for those that are, or lead to, ourselves. */
function useResolvers(options: DNSOptions, forwarder: Forwarder): { loops: Loops; stop: () => void } {
  const { clock, random, log, clusterDNS, resolvConf = RESOLV_CONF } = options;
  let servers: readonly string[] = [];
  const loops = new Loops(random, (server) => {
    servers = servers.filter((other) => other !== server);
    forwarder.use(servers);
    log("error", "a resolver asks us in its turn, and is not used", { server, resolvConf });
  });
  const stop = followResolvConf(resolvConf, clock, (said) => {
    servers = said.filter((server) => !clusterDNS.includes(server));
    if (servers.length < said.length)
      log("warn", "the host's resolver is the cluster's DNS itself", { resolvConf });
    loops.forget();
    forwarder.use(servers);
    for (const server of servers) void forwarder.askOne(server, loops.probe(server));
  });
  return { loops, stop };
}

const portsOf = ({ metadata }: Node): string =>
  JSON.stringify([metadata.annotations?.[DNS_PORT], metadata.annotations?.[DNS_METRICS_PORT]]);

async function tellPorts(
  { client, nodeName, informers }: DNSOptions,
  names: DNSNames,
  doors: Doors,
): Promise<void> {
  const own = informers.of(Node).lister.get("", nodeName);
  // It is told of when it comes.
  if (!own) return;
  const annotations = {
    [DNS_PORT]: String(names.port),
    [DNS_METRICS_PORT]: doors.hasMetrics ? String(names.metricsPort) : null,
  };
  const there = own.metadata.annotations ?? {};
  if (Object.entries(annotations).every(([key, value]) => (there[key] ?? null) === value)) return;
  await client.resource(Node).patch(nodeName, { metadata: { annotations } }, { type: "merge" });
}
