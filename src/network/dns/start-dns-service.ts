/** Keeps the Service kube-dns, and tells it of the nodes whose DNS answers. One of these runs in a cluster. */
import { Node } from "../../api/core/node.ts";
import { Service } from "../../api/core/services.ts";
import { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import { isReason } from "../../client/status.ts";
import { WorkQueue } from "../../client/work-queue/work-queue.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import type { DNSService, DNSServiceOptions } from "./dns-options.ts";
import { MANAGED_BY, MANAGER, NAME, NAMESPACE, service, slicesOf } from "./kube-dns.ts";

/** The key of the Service; nodes have their names, which have no slash. */
const SERVICE = "/service";
const OF_NODE = "node";
const RETRY = { first: 100, longest: 60_000 };

export function startDNSService(options: DNSServiceOptions): DNSService {
  const { client, informers, clock, log, clusterDNS } = options;
  const nodes = informers.of(Node);
  const services = informers.of(Service, { namespace: NAMESPACE, fieldSelector: `metadata.name=${NAME}` });
  const slices = informers.of(EndpointSlice, {
    namespace: NAMESPACE,
    labelSelector: `${MANAGED_BY}=${MANAGER}`,
  });
  slices.addIndex(OF_NODE, ({ metadata }) => (metadata.ownerReferences ?? []).map(({ name }) => name));
  const ready = Promise.withResolvers<void>();

  async function keepService(): Promise<undefined> {
    if (services.lister.get(NAMESPACE, NAME)) return;
    try {
      await client.resource(Service, NAMESPACE).create(service(clusterDNS));
    } catch (error) {
      // What somebody made of it is theirs.
      if (!isReason(error, "AlreadyExists")) throw error;
    }
  }

  async function keepSlices(nodeName: string): Promise<undefined> {
    const node = nodes.lister.get("", nodeName);
    const wanted = node ? slicesOf(node, clusterDNS) : [];
    const there = slices.lister.by(OF_NODE, nodeName);
    const writer = client.resource(EndpointSlice, NAMESPACE);
    for (const slice of wanted) {
      const old = there.find(({ metadata }) => metadata.name === slice.metadata.name);
      if (!old) await writer.create(slice);
      else if (!deepEqual([old.endpoints, old.ports], [slice.endpoints, slice.ports])) {
        await writer.update({ ...old, endpoints: slice.endpoints, ports: slice.ports });
      }
    }
    for (const { metadata } of there) {
      if (wanted.some((slice) => slice.metadata.name === metadata.name)) continue;
      await writer.delete(metadata.name ?? "").catch((error) => {
        if (!isReason(error, "NotFound")) throw error;
      });
    }
  }

  const queue = new WorkQueue({
    clock,
    retry: RETRY,
    async work(key) {
      if (key !== SERVICE) return keepSlices(key);
      await keepService();
      ready.resolve();
    },
    failed(key, error, attempt) {
      if (attempt === 3)
        log("warn", "the Service of DNS is not as it should be", { key, error: String(error) });
    },
  });
  const leave = [
    services.subscribe(({ now }) => {
      if (!now) queue.add(SERVICE);
    }),
    nodes.subscribe(({ key, now, was }) => {
      const [fresh, old] = [now, was].map((node) => (node ? slicesOf(node, clusterDNS) : []));
      if (!deepEqual(fresh, old)) queue.add(key);
    }),
    slices.subscribe(({ now, was }) => {
      for (const { name } of (now ?? was)?.metadata.ownerReferences ?? []) queue.add(name);
    }),
  ];
  const all = [nodes, services, slices];
  for (const informer of all) informer.start();
  queue.add(SERVICE);
  void Promise.all(all.map(({ synced }) => synced)).then(() => queue.start());
  return {
    ready: ready.promise,
    async stop() {
      for (const unsubscribe of leave) unsubscribe();
      await queue.close();
    },
  };
}
