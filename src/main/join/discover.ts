/** Finds out whom a machine that joins can trust, by a token and the digest of the cluster's authority. */
import { timingSafeEqual } from "node:crypto";
import { ConfigMap } from "../../api/core/config-map.ts";
import type { Clock } from "../../base/clock.ts";
import { UsageError } from "../../cli/verb.ts";
import { openClient } from "../../client/client.ts";
import { isReason } from "../../client/status.ts";
import { TransportError } from "../../client/transport.ts";
import { HTTPSTransport } from "../../client/transports/https-transport.ts";
import { detachedSignature } from "../../controllers/bootstrap/token.ts";
import { CLUSTER_INFO, PUBLIC } from "./cluster-objects.ts";
import { caHash } from "./run-token.ts";

export interface Discovery {
  server: string;
  token: string;
  /** None: whoever knows the token is trusted. */
  caHashes: readonly string[];
}

/**
 * The cluster's authority as PEM. What answers is not known at first: it must have signed what it says with the token, and
 * its authority must have a digest that was told; then it is asked again, as one that is known.
 */
export async function discover({ server, token, caHashes }: Discovery, clock: Clock): Promise<string> {
  const first = await clusterInfo(server, { insecureSkipVerify: true }, clock);
  const [id = "", secret = ""] = token.split(".");
  const { kubeconfig = "" } = first;
  const signature = Object.hasOwn(first, `jws-kubeconfig-${id}`) ? first[`jws-kubeconfig-${id}`]! : "";
  if (signature === "")
    throw new UsageError(
      `${server} does not know the token ${id}: it may have expired; make another with \`kybern token create\`.`,
    );
  if (!isSame(signature, detachedSignature(kubeconfig, { id, secret })))
    throw new UsageError(`${server} did not prove that it knows the token ${id}: is the token right?`);
  const ca = authorityIn(kubeconfig);
  if (caHashes.length > 0 && !caHashes.includes(caHash(ca)))
    throw new UsageError(
      `the authority of ${server} is ${caHash(ca)}, another than --discovery-token-ca-cert-hash says: do not join it.`,
    );
  const second = await clusterInfo(server, { ca }, clock);
  if (authorityIn(second.kubeconfig ?? "") !== ca)
    throw new UsageError(`${server} tells of another authority the second time: do not join it.`);
  return ca;
}

async function clusterInfo(
  server: string,
  trust: { ca: string } | { insecureSkipVerify: true },
  clock: Clock,
): Promise<Record<string, string>> {
  const client = openClient(new HTTPSTransport({ server, ...trust, clock }), { userAgent: "kybern" });
  try {
    const { data = {} } = await client.resource(ConfigMap, PUBLIC).get(CLUSTER_INFO);
    return data;
  } catch (error) {
    if (error instanceof TransportError)
      throw new UsageError(
        `${server} cannot be reached: ${error.message}. Is the address right, and the port open?`,
      );
    if (isReason(error, "NotFound") || isReason(error, "Forbidden") || isReason(error, "Unauthorized"))
      throw new UsageError(`${server} lets no machine join: run \`kybern token create\` there first.`);
    throw error;
  } finally {
    await client.close();
  }
}

function authorityIn(kubeconfig: string): string {
  try {
    const { clusters } = JSON.parse(kubeconfig) as {
      clusters: { cluster: { "certificate-authority-data": string } }[];
    };
    return Buffer.from(clusters[0]!.cluster["certificate-authority-data"], "base64").toString();
  } catch {
    throw new UsageError(
      "the cluster's cluster-info cannot be read: it is none that `kybern token create` made.",
    );
  }
}

function isSame(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
