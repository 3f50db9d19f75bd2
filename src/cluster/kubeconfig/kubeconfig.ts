/** The file that tells clients where a cluster is and who they are (client.authentication: v1 Config). */
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { writeFileAtomically } from "../pki/write-file-atomically.ts";

export interface NamedCluster {
  name: string;
  cluster: { server: string; "certificate-authority-data"?: string; [option: string]: unknown };
}

export interface NamedUser {
  name: string;
  user: {
    "client-certificate-data"?: string;
    "client-key-data"?: string;
    token?: string;
    [option: string]: unknown;
  };
}

export interface NamedContext {
  name: string;
  context: { cluster: string; user: string; namespace?: string; [option: string]: unknown };
}

export interface Kubeconfig {
  apiVersion: "v1";
  kind: "Config";
  preferences?: Record<string, unknown>;
  clusters: NamedCluster[];
  users: NamedUser[];
  contexts: NamedContext[];
  "current-context": string;
  [option: string]: unknown;
}

/** One cluster, one user with a client certificate, and the context of both, as `kubeadm init` names them. */
export function makeKubeconfig(request: {
  server: string;
  ca: string;
  certificate: string;
  key: string;
  clusterName?: string;
  userName?: string;
}): Kubeconfig {
  const { server, ca, certificate, key } = request;
  const { clusterName = "kubernetes", userName = "kubernetes-admin" } = request;
  const name = `${userName}@${clusterName}`;
  return {
    apiVersion: "v1",
    kind: "Config",
    preferences: {},
    clusters: [{ name: clusterName, cluster: { "certificate-authority-data": base64(ca), server } }],
    users: [
      {
        name: userName,
        user: { "client-certificate-data": base64(certificate), "client-key-data": base64(key) },
      },
    ],
    contexts: [{ name, context: { cluster: clusterName, user: userName } }],
    "current-context": name,
  };
}

/** `from`'s entries replace those of the same name; others stay. The current context stays unless `use`. */
export function mergeKubeconfig(
  into: Kubeconfig,
  from: Kubeconfig,
  options: { use?: boolean } = {},
): Kubeconfig {
  return {
    ...into,
    clusters: replaceByName(into.clusters, from.clusters),
    users: replaceByName(into.users, from.users),
    contexts: replaceByName(into.contexts, from.contexts),
    "current-context":
      options.use || into["current-context"] === "" ? from["current-context"] : into["current-context"],
  };
}

/** Undefined where there is no such file; throws where it is not a kubeconfig, without quoting it. */
export async function readKubeconfig(path: string): Promise<Kubeconfig | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const { parseYAML } = await import("../../machinery/yaml/yaml.ts");
  let parsed: unknown;
  try {
    parsed = parseYAML(text);
  } catch {
    throw new Error(`${path} is not valid YAML`);
  }
  if (parsed === null || parsed === undefined) return emptyKubeconfig();
  if (typeof parsed !== "object" || Array.isArray(parsed)) throw new Error(`${path} is not a kubeconfig`);
  const { apiVersion = "v1", kind = "Config", ...rest } = parsed as Record<string, unknown>;
  if (apiVersion !== "v1" || kind !== "Config") throw new Error(`${path} is not a kubeconfig of v1`);
  const read = { ...emptyKubeconfig(), ...rest } as Kubeconfig;
  // Lists that kubectl left empty are written as null.
  read.clusters ??= [];
  read.users ??= [];
  read.contexts ??= [];
  read["current-context"] ??= "";
  return read;
}

/** Writes with mode 0600, in one step; nothing is written where the file already says the same. */
export async function writeKubeconfig(path: string, kubeconfig: Kubeconfig): Promise<void> {
  const text = printKubeconfig(kubeconfig);
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before === text) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFileAtomically(path, text);
}

export function emptyKubeconfig(): Kubeconfig {
  return { apiVersion: "v1", kind: "Config", clusters: [], users: [], contexts: [], "current-context": "" };
}

/** Block YAML in the order of keys. Written here so that the first start need not load a YAML library. */
export function printKubeconfig(kubeconfig: Kubeconfig): string {
  return `${block(kubeconfig, "")}\n`;
}

function block(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    return value.map((item) => `${indent}- ${block(item, `${indent}  `).trimStart()}`).join("\n");
  }
  if (typeof value !== "object" || value === null) return scalar(value);
  const entries = Object.entries(value)
    .filter(([, item]) => item !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length === 0) return "{}";
  return entries
    .map(([key, item]) => {
      const flat = typeof item !== "object" || item === null || Object.keys(item).length === 0;
      const inner = Array.isArray(item) ? indent : `${indent}  `;
      return `${indent}${scalar(key)}:${flat ? " " : "\n"}${block(item, inner)}`;
    })
    .join("\n");
}

const PLAIN = /^[A-Za-z][A-Za-z0-9+/=@._:-]*[A-Za-z0-9+/=_-]$/;
const RESERVED = new Set(["true", "false", "null", "yes", "no", "on", "off"]);

function scalar(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  return PLAIN.test(value) && !RESERVED.has(value.toLowerCase()) ? value : JSON.stringify(value);
}

function replaceByName<T extends { name: string }>(into: readonly T[], from: readonly T[]): T[] {
  const merged = new Map(into.map((item) => [item.name, item]));
  for (const item of from) merged.set(item.name, item);
  return [...merged.values()];
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
