import { createHash, randomInt, X509Certificate } from "node:crypto";
import { Secret } from "../../api/core/secret.ts";
import { systemClock } from "../../base/clock.ts";
import { table } from "../../cli/table.ts";
import { UsageError } from "../../cli/verb.ts";
import type { TokenRun } from "../../cli/verbs/token.ts";
import { type Client, openClient } from "../../client/client.ts";
import { readConnection } from "../../client/kubeconfig/connection.ts";
import { isReason } from "../../client/status.ts";
import { HTTPSTransport } from "../../client/transports/https-transport.ts";
import { readStatus } from "../../cluster/cluster-status.ts";
import type { Layout } from "../../cluster/layout.ts";
import { readSettings } from "../up/settings.ts";
import { type ClusterConfig, installJoining, JOINING } from "./cluster-objects.ts";

const NAMESPACE = "kube-system";
const PREFIX = "bootstrap-token-";
const TYPE = "bootstrap.kubernetes.io/token";
const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

export async function runToken(run: TokenRun): Promise<void> {
  const { layout, action, subjects } = run;
  const connection = await readConnection(layout.adminConfig).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT")
      throw new UsageError(
        `there is no cluster in ${layout.dataDir}: tokens are made where its server runs.`,
      );
    throw error;
  });
  const client = openClient(new HTTPSTransport({ ...connection, clock: systemClock }), {
    userAgent: "kybern",
  });
  try {
    if (action === "create") await create(run, client, connection.ca ?? "");
    if (action === "list") process.stdout.write(await tokenTable(client));
    for (const subject of action === "delete" ? subjects : []) {
      const [id = ""] = subject.split(".");
      await client
        .resource(Secret, NAMESPACE)
        .delete(PREFIX + id)
        .catch((error: unknown) => {
          if (!isReason(error, "NotFound")) throw error;
          throw new UsageError(`there is no token ${id}: \`kybern token list\` shows those there are.`);
        });
      process.stdout.write(`token ${id} deleted\n`);
    }
  } finally {
    await client.close();
  }
}

async function create(
  { layout, ttlSeconds, description }: TokenRun,
  client: Client,
  ca: string,
): Promise<void> {
  const status = await readStatus(layout.statusSocket);
  if (!status) throw new UsageError("the server does not run: start it with `kybern up`.");
  await installJoining(client, { server: status.server, ca, config: await configOf(layout) });
  const [id, secret] = [randomText(6), randomText(16)];
  const stringData: Record<string, string> = {
    "token-id": id,
    "token-secret": secret,
    "usage-bootstrap-authentication": "true",
    "usage-bootstrap-signing": "true",
    "auth-extra-groups": JOINING,
    ...(description !== undefined && { description }),
    ...(ttlSeconds > 0 && { expiration: new Date(Date.now() + ttlSeconds * 1000).toISOString() }),
  };
  await client
    .resource(Secret, NAMESPACE)
    .create({ metadata: { name: PREFIX + id }, type: TYPE, stringData });
  const address = new URL(status.server).host;
  process.stdout.write(
    `kybern join ${address} --token ${id}.${secret} --discovery-token-ca-cert-hash ${caHash(ca)}\n`,
  );
}

/** As kubeadm's: of the public key, so that the authority's certificate can be renewed. */
export function caHash(ca: string): string {
  const key = new X509Certificate(ca).publicKey.export({ format: "der", type: "spki" });
  return `sha256:${createHash("sha256").update(key).digest("hex")}`;
}

async function configOf(layout: Layout): Promise<ClusterConfig> {
  const flags = (await readSettings(layout))?.flags ?? {};
  return {
    clusterCIDRs: (flags["cluster-cidr"] ?? "10.244.0.0/16").split(","),
    serviceCIDRs: (flags["service-cluster-ip-range"] ?? "10.96.0.0/12").split(","),
    dnsDomain: flags["cluster-domain"] ?? "cluster.local",
  };
}

async function tokenTable(client: Client): Promise<string> {
  const { items } = await client.resource(Secret, NAMESPACE).list({ fieldSelector: `type=${TYPE}` });
  const rows = items.map(({ data = {} }) => {
    const text = (key: string): string => Buffer.from(data[key] ?? "", "base64").toString();
    return [
      `${text("token-id")}.${text("token-secret")}`,
      text("expiration") || "<never>",
      text("description"),
    ];
  });
  return table(["TOKEN", "EXPIRES", "DESCRIPTION"], rows);
}

function randomText(length: number): string {
  return Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join("");
}
