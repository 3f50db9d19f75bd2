/** Which credentials of Docker's configuration files fit an image. */
import type { Secret } from "../../api/core/secret.ts";
import type { Sent } from "../../host/grpc/messages.ts";
import type { AuthConfig } from "../runtime/cri/images.ts";

export type RegistryCredentials = Pick<
  Sent<typeof AuthConfig>,
  "username" | "password" | "identityToken" | "registryToken"
>;

/** Credentials and for which images they are. */
export interface KeyringEntry {
  /** `registry.example.com`, with a port, a path that images' names begin with, and `*` in parts of the host. */
  location: string;
  credentials: RegistryCredentials;
}

const DOCKER_HUB = "index.docker.io";

/** What a pull secret holds; nothing where it is of another type. Throws where its text is not what its type says. */
export function keyringOfSecret(secret: Secret): KeyringEntry[] {
  const key = keyOfType(secret.type);
  const encoded = key === undefined ? undefined : secret.data?.[key];
  if (!encoded) return [];
  const value = asRecord(JSON.parse(Buffer.from(encoded, "base64").toString()));
  return keyringOf(key === ".dockercfg" ? { auths: value } : value);
}

/** Of a config.json as Docker writes it, parsed. */
export function keyringOf(config: Readonly<Record<string, unknown>>): KeyringEntry[] {
  return Object.entries(asRecord(config.auths)).map(([location, entry]) => ({
    location: normalLocation(location),
    credentials: credentialsOf(asRecord(entry)),
  }));
}

/** All that fit the image, those first that say the most of its name. */
export function credentialsFor(keyring: readonly KeyringEntry[], image: string): KeyringEntry[] {
  const sorted = keyring.toSorted((a, b) => (a.location < b.location ? 1 : a.location > b.location ? -1 : 0));
  const fitting = sorted.filter(({ location }) => isAt(location, image));
  if (!isOfDockerHub(image)) return fitting;
  const hub = sorted.filter((entry) => entry.location === DOCKER_HUB && !fitting.includes(entry));
  return [...fitting, ...hub];
}

function keyOfType(type: string | undefined): string | undefined {
  if (type === "kubernetes.io/dockerconfigjson") return ".dockerconfigjson";
  return type === "kubernetes.io/dockercfg" ? ".dockercfg" : undefined;
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function credentialsOf(entry: Readonly<Record<string, unknown>>): RegistryCredentials {
  const { identitytoken, registrytoken } = entry;
  const text = (value: unknown): string => (typeof value === "string" ? value : "");
  const [username, password] =
    typeof entry.auth === "string" && entry.auth !== ""
      ? pairOf(entry.auth)
      : [text(entry.username), text(entry.password)];
  return { username, password, identityToken: text(identitytoken), registryToken: text(registrytoken) };
}

/** base64 of `user:password`. */
function pairOf(auth: string): [string, string] {
  const text = Buffer.from(auth, "base64").toString();
  const colon = text.indexOf(":");
  if (colon < 0)
    throw new Error("unable to parse auth field, must be formatted as base64(username:password)");
  return [text.slice(0, colon), text.slice(colon + 1)];
}

/** Without scheme, the version of the registry's API, and a slash at its end. */
function normalLocation(location: string): string {
  const bare = location.replace(/^https?:\/\//, "");
  const slash = bare.indexOf("/");
  if (slash < 0) return bare;
  const host = bare.slice(0, slash);
  let path = bare.slice(slash);
  if (path.startsWith("/v1/") || path.startsWith("/v2/")) path = path.slice(3);
  return path === "/" ? host : host + path;
}

function isAt(location: string, image: string): boolean {
  const wanted = splitLocation(location);
  const asked = splitLocation(image);
  if (wanted.port !== asked.port || !asked.path.startsWith(wanted.path)) return false;
  const [parts, of] = [wanted.host.split("."), asked.host.split(".")];
  return parts.length === of.length && parts.every((part, i) => fits(part, of[i]!));
}

function splitLocation(location: string): { host: string; port: string; path: string } {
  const slash = location.indexOf("/");
  const authority = slash < 0 ? location : location.slice(0, slash);
  const colon = authority.lastIndexOf(":");
  const path = slash < 0 ? "" : location.slice(slash);
  if (colon < 0) return { host: authority, port: "", path };
  return { host: authority.slice(0, colon), port: authority.slice(colon + 1), path };
}

/** Whether text is the pattern, in which `*` is any text and `?` any one character. */
function fits(pattern: string, text: string): boolean {
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === "*") [star, mark] = [p++, t];
    else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) [p, t] = [p + 1, t + 1];
    else if (star < 0) return false;
    else [p, t] = [star + 1, ++mark];
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}

function isOfDockerHub(image: string): boolean {
  const slash = image.indexOf("/");
  if (slash < 0) return true;
  const first = image.slice(0, slash);
  return first === "docker.io" || first === DOCKER_HUB || !/[.:]/.test(first);
}
