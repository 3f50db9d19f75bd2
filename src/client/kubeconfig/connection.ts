/** From a kubeconfig to what a transport needs: where the server is, whom to trust, who we are. */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { parseYAML } from "../../machinery/yaml/yaml.ts";

export interface Connection {
  server: string;
  ca?: string;
  cert?: string;
  key?: string;
  token?: string;
  serverName?: string;
  insecureSkipVerify?: boolean;
  /** The context's; "default" where it names none. */
  namespace: string;
}

type Entry = Readonly<Record<string, unknown>>;

/** Reads the file, and those it names. */
export async function readConnection(path: string, context?: string): Promise<Connection> {
  return connectionOf(await readFile(path, "utf8"), { context, directory: dirname(resolve(path)) });
}

/** Throws a TypeError that says what is missing and never shows a credential. */
export async function connectionOf(
  text: string,
  options: { context?: string; directory?: string } = {},
): Promise<Connection> {
  const config = entryOf(parseYAML(text), "the kubeconfig");
  const name = options.context ?? textOf(config["current-context"]);
  if (name === undefined) throw new TypeError("the kubeconfig has no current-context");
  const context = find(config, "contexts", "context", name);
  const cluster = find(config, "clusters", "cluster", textOf(context.cluster) ?? "");
  const user = find(config, "users", "user", textOf(context.user) ?? "");
  for (const unsupported of ["exec", "auth-provider"]) {
    if (user[unsupported]) throw new TypeError(`users that log in by ${unsupported} are not supported`);
  }
  const server = textOf(cluster.server);
  if (server === undefined) throw new TypeError(`the cluster of context ${name} has no server`);
  const read = (entry: Entry, key: string) => dataOrFile(entry, key, options.directory);
  const [ca, cert, key] = await Promise.all([
    read(cluster, "certificate-authority"),
    read(user, "client-certificate"),
    read(user, "client-key"),
  ]);
  const file = textOf(user.tokenFile);
  const token = textOf(user.token) ?? (file ? (await readFile(file, "utf8")).trim() : undefined);
  return {
    server,
    ca,
    cert,
    key,
    token,
    serverName: textOf(cluster["tls-server-name"]),
    insecureSkipVerify: cluster["insecure-skip-tls-verify"] === true,
    namespace: textOf(context.namespace) ?? "default",
  };
}

function find(config: Entry, list: string, member: string, name: string): Entry {
  const entries = config[list];
  if (Array.isArray(entries)) {
    for (const entry of entries as Entry[]) {
      if (entry?.name === name) return entryOf(entry[member], `${member} ${name}`);
    }
  }
  throw new TypeError(`the kubeconfig has no ${member} ${JSON.stringify(name)}`);
}

function entryOf(value: unknown, what: string): Entry {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${what} is not a mapping`);
  }
  return value as Entry;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

async function dataOrFile(entry: Entry, key: string, directory = "."): Promise<string | undefined> {
  const data = textOf(entry[`${key}-data`]);
  if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
  const file = textOf(entry[key]);
  return file === undefined ? undefined : readFile(resolve(directory, file), "utf8");
}
