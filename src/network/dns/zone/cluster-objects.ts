/** What DNS looks at of the cluster: informers with their indexes, and views of Services made when they are first asked for. */
import { Namespace } from "../../../api/core/namespace.ts";
import { Service } from "../../../api/core/services.ts";
import { EndpointSlice } from "../../../api/discovery/endpoint-slice.ts";
import type { Informers } from "../../../client/informer/informers.ts";
import { formatIP, parseIP } from "../../../machinery/names/ip-address.ts";
import { hostNameOf, type ServiceView, serviceView } from "./service-view.ts";

/** What the zone is answered from. Names are in lower case. */
export interface ClusterObjects {
  hasNamespace(name: string): boolean;
  service(namespace: string, name: string): ServiceView | undefined;
  /** What has the address: `<service>.<namespace>` for cluster IPs, with the host in front for endpoints. */
  namesOf(address: string): readonly string[];
}

const SERVICE_NAME = "kubernetes.io/service-name";
const HEADLESS = "service.kubernetes.io/headless";
/** Index: `namespace/name` of the Service that a slice belongs to. */
const OF_SERVICE = "serviceName";
/** Indexes: addresses of Services and of endpoints that have names. */
const CLUSTER_IPS = "clusterIPs";
const NAMED_ADDRESSES = "namedAddresses";

export interface WatchedObjects extends ClusterObjects {
  /** Whether everything was seen once. */
  readonly isComplete: boolean;
  readonly complete: Promise<void>;
  /** Counts the changes. */
  readonly changes: number;
  stop(): void;
}

export function watchObjects(informers: Informers): WatchedObjects {
  const namespaces = informers.of(Namespace);
  const services = informers.of(Service);
  const slices = informers.of(EndpointSlice);
  services.addIndex(CLUSTER_IPS, ({ spec }) =>
    (spec?.clusterIPs ?? []).filter((ip) => ip !== "None").map(canonical),
  );
  slices.addIndex(OF_SERVICE, ({ metadata }) => {
    const name = metadata.labels?.[SERVICE_NAME];
    return name === undefined ? [] : [`${metadata.namespace}/${name}`];
  });
  slices.addIndex(NAMED_ADDRESSES, namedAddresses);

  const views = new Map<string, ServiceView | undefined>();
  let changes = 0;
  const leave = [
    services.subscribe(({ key }) => {
      changes++;
      views.delete(key);
    }),
    slices.subscribe(({ now, was }) => {
      changes++;
      for (const slice of [now, was]) {
        if (slice) views.delete(`${slice.metadata.namespace}/${slice.metadata.labels?.[SERVICE_NAME]}`);
      }
    }),
  ];
  const all = [namespaces, services, slices];
  for (const informer of all) informer.start();
  return {
    get isComplete() {
      return all.every(({ hasSynced }) => hasSynced);
    },
    complete: Promise.all(all.map(({ synced }) => synced)).then(() => {}),
    get changes() {
      return changes;
    },
    hasNamespace: (name) => namespaces.lister.get("", name) !== undefined,
    service(namespace, name) {
      const key = `${namespace}/${name}`;
      const known = views.get(key);
      if (known) return known;
      const service = services.lister.get(namespace, name);
      if (!service) return undefined;
      const view = serviceView(service, slices.lister.by(OF_SERVICE, key));
      if (view) views.set(key, view);
      return view;
    },
    namesOf(address) {
      const own = services.lister
        .by(CLUSTER_IPS, address)
        .map(({ metadata }) => `${metadata.name}.${metadata.namespace}`);
      if (own.length > 0) return own;
      const hosts = slices.lister.by(NAMED_ADDRESSES, address).flatMap((slice) => hostsWith(slice, address));
      return [...new Set(hosts)];
    },
    stop() {
      for (const unsubscribe of leave) unsubscribe();
    },
  };
}

const canonical = (text: string): string => {
  const ip = parseIP(text);
  return ip ? formatIP(ip) : text;
};

/** Endpoints have names for their addresses where they say their hostname, or their Service is headless. */
function named({ metadata, endpoints }: EndpointSlice) {
  const isHeadless = metadata.labels?.[HEADLESS] !== undefined;
  return (endpoints ?? []).filter(
    ({ hostname, conditions }) => (hostname || isHeadless) && conditions?.ready !== false,
  );
}

function namedAddresses(slice: EndpointSlice): string[] {
  return named(slice).flatMap(({ addresses }) => addresses.map(canonical));
}

function hostsWith(slice: EndpointSlice, address: string): string[] {
  const { namespace, labels } = slice.metadata;
  const service = labels?.[SERVICE_NAME];
  if (service === undefined) return [];
  return named(slice).flatMap(({ hostname, addresses }) =>
    addresses
      .filter((own) => canonical(own) === address)
      .map((own) => `${hostNameOf(hostname, own)}.${service}.${namespace}`),
  );
}
