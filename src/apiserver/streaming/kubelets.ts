/** How the API server reaches the kubelets: where they are, as whom it comes, and what they must show. */
import { isIP } from "node:net";
import { type ConnectionOptions, checkServerIdentity } from "node:tls";
import { Node } from "../../api/core/node.ts";
import type { NodeStatus } from "../../api/schema/core.v1.generated.ts";
import { notFound, StatusError, serviceUnavailable } from "../../machinery/status/status-error.ts";
import type { WatchCache } from "../watch-cache/watch-cache.ts";
import type { Lookup } from "./addresses.ts";

/** PEM texts. */
export interface KubeletCredentials {
  /** The API server's own certificate for kubelets (CN=kube-apiserver-kubelet-client), and its key. */
  cert: string;
  key: string;
  /** The authority that issues the kubelets' serving certificates. */
  ca: string;
}

export interface KubeletClientOptions {
  /** Asked for at each connection: certificates are renewed. */
  credentials: () => KubeletCredentials;
  /** By default as kubeadm sets --kubelet-preferred-address-types. */
  preferredAddressTypes?: readonly string[];
}

/** A kubelet as it is connected to. */
export interface KubeletTarget {
  /** As its certificate must name it. */
  hostname: string;
  /** With the port, for Host. */
  host: string;
  /** What is connected to: a number. */
  address: string;
  port: number;
  tls: ConnectionOptions;
}

const PREFERRED = ["InternalIP", "ExternalIP", "Hostname"];
const KUBELET_PORT = 10250;
/** By which simulated nodes are told from others. */
const SIMULATED = "kybern.dev/simulated";

/** As in a URL. */
export function authority(hostname: string, port: number | string): string {
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return port === "" ? host : `${host}:${port}`;
}

export class Kubelets {
  private readonly cache: WatchCache;
  private readonly options: KubeletClientOptions | undefined;
  private readonly lookup: Lookup;

  constructor(cache: WatchCache, options: KubeletClientOptions | undefined, lookup: Lookup) {
    this.cache = cache;
    this.options = options;
    this.lookup = lookup;
  }

  /** Without an address yet. Throws NotFound for an unknown node, and where the node says no address. */
  locate(nodeName: string): { hostname: string; port: number } {
    const node = this.cache.get(Node, "", nodeName);
    if (!node) throw notFound({ group: "", resource: "nodes" }, nodeName);
    if (node.metadata.labels?.[SIMULATED] === "true") {
      // Its address is made up: whoever has it is not asked.
      throw serviceUnavailable(`node ${JSON.stringify(nodeName)} is simulated: no kubelet runs there`);
    }
    const addresses = node.status?.addresses ?? [];
    const types = this.options?.preferredAddressTypes ?? PREFERRED;
    const found = types.flatMap((type) => addresses.find((one) => one.type === type) ?? [])[0];
    if (!found) {
      const known = addresses.map(({ type, address }) => `{${type} ${address}}`).join(" ");
      throw new StatusError("", `no preferred addresses found; known addresses: [${known}]`, undefined, 500);
    }
    // A node that registered just now has not said its port yet.
    const { daemonEndpoints } = (node.status ?? {}) as NodeStatus;
    return { hostname: found.address, port: daemonEndpoints?.kubeletEndpoint?.Port || KUBELET_PORT };
  }

  /** `insecure`: whatever certificate the kubelet shows (insecureSkipTLSVerifyBackend of logs). */
  async reach(nodeName: string, insecure = false): Promise<KubeletTarget> {
    const { hostname, port } = this.locate(nodeName);
    const [address] = isIP(hostname) !== 0 ? [hostname] : await this.resolved(hostname);
    const tls = this.tls(hostname, insecure);
    return { hostname, host: authority(hostname, port), address: address!, port, tls };
  }

  tls(hostname: string, insecure: boolean): ConnectionOptions {
    const { options } = this;
    if (!options) {
      throw new StatusError("ServiceUnavailable", "this API server has no credentials for kubelets");
    }
    const { cert, key, ca } = options.credentials();
    return {
      cert,
      key,
      ca,
      minVersion: "TLSv1.2",
      rejectUnauthorized: !insecure,
      servername: isIP(hostname) === 0 ? hostname : "",
      checkServerIdentity: (_host, certificate) => checkServerIdentity(hostname, certificate),
    };
  }

  private async resolved(hostname: string): Promise<readonly string[]> {
    const found = await this.lookup(hostname).catch(() => []);
    if (found.length > 0) return found;
    throw new StatusError("", `dial tcp: lookup ${hostname}: no such host`, undefined, 500);
  }
}
