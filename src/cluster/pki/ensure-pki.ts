/**
 * The keys and certificates of a control plane, made where they are missing. Files have kubeadm's names where kubeadm
 * has one, so that its documentation and tools apply; an operator may lay down any of them beforehand (an authority
 * without its key too, as long as nothing must be issued by it).
 */
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { chmod, mkdir, open, readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import { OID, readCertificate } from "../../base/x509/certificate.ts";
import type { KeyPair, Subject } from "./certificate.ts";
import {
  addressBytes,
  derOf,
  issueCertificate,
  keyToPEM,
  LEAF_DAYS,
  makeAuthority,
  makePrivateKey,
  validity,
} from "./certificate.ts";
import { writeFileAtomically } from "./write-file-atomically.ts";

export interface PKIRequest {
  /** `<data-dir>/pki`; made, with mode 0700, where it is missing. */
  directory: string;
  now: Date;
  /** The machine's host name. */
  hostname: string;
  /** Of the cluster's services; `cluster.local`. */
  dnsDomain: string;
  /** The first address of each service range: that of the `kubernetes` Service. */
  serviceAddresses: readonly string[];
  /** What else the serving certificate must cover. */
  names?: readonly string[];
  addresses?: readonly string[];
}

type PairName = "ca" | "frontProxyCA" | LeafName;
type LeafName =
  | "apiserver"
  | "apiserverKubeletClient"
  | "frontProxyClient"
  | "admin"
  | "controllerManager"
  | "scheduler";

/** Files of keys and certificates that a person has to put right. */
export class PKIUnusable extends Error {
  override readonly name = "PKIUnusable";
}

export interface KeyPairFile extends KeyPair {
  certificatePath: string;
  keyPath: string;
}

export interface PKI extends Record<Exclude<PairName, "ca" | "frontProxyCA">, KeyPairFile> {
  /** `key` is "" where an operator keeps the authority's key elsewhere. */
  ca: KeyPairFile;
  frontProxyCA: KeyPairFile;
  serviceAccount: { privateKey: string; publicKey: string; privateKeyPath: string; publicKeyPath: string };
  /** The files that this call wrote, for a log line. */
  written: string[];
}

interface Leaf {
  file: string;
  authority: "ca" | "frontProxyCA";
  usage: "server" | "client";
  subject: Subject;
}

const LEAVES: Record<LeafName, Leaf> = {
  apiserver: {
    file: "apiserver",
    authority: "ca",
    usage: "server",
    subject: { commonName: "kube-apiserver" },
  },
  apiserverKubeletClient: {
    file: "apiserver-kubelet-client",
    authority: "ca",
    usage: "client",
    subject: { commonName: "kube-apiserver-kubelet-client", organizations: ["kubeadm:cluster-admins"] },
  },
  frontProxyClient: {
    file: "front-proxy-client",
    authority: "frontProxyCA",
    usage: "client",
    subject: { commonName: "front-proxy-client" },
  },
  admin: {
    file: "admin",
    authority: "ca",
    usage: "client",
    subject: { commonName: "kubernetes-admin", organizations: ["system:masters"] },
  },
  controllerManager: {
    file: "controller-manager",
    authority: "ca",
    usage: "client",
    subject: { commonName: "system:kube-controller-manager" },
  },
  scheduler: {
    file: "scheduler",
    authority: "ca",
    usage: "client",
    subject: { commonName: "system:kube-scheduler" },
  },
};

/** As read: `damage` says what of it cannot be read, where something cannot. */
interface FoundPair extends KeyPairFile {
  damage: string | undefined;
}

/** A certificate is replaced at a start in the last quarter of its year. */
const RENEW_BEFORE = (LEAF_DAYS / 4) * 24 * 3_600_000;

/**
 * Reads what is there, makes what is missing, and re-issues certificates that near their end, were issued by another
 * authority, or (the serving one) no longer cover the names and addresses asked for; those that cannot be read too.
 * Throws PKIUnusable where files contradict each other, or what everything hangs on cannot be read, naming them.
 */
export async function ensurePKI(request: PKIRequest): Promise<PKI> {
  const { directory, now } = request;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  const names = Object.keys(LEAVES) as LeafName[];
  const [ca, frontProxyCA, serviceAccount, ...stored] = await Promise.all([
    readPair(directory, "ca"),
    readPair(directory, "front-proxy-ca"),
    readServiceAccountKeys(directory),
    ...names.map((name) => readPair(directory, LEAVES[name].file)),
  ]);
  const writes = new Map<string, string>();
  const authorities = {
    ca: ensureAuthority(ca, "kubernetes", now, writes),
    frontProxyCA: ensureAuthority(frontProxyCA, "front-proxy-ca", now, writes),
  };
  const cover = coverOf(request);
  const leaves = {} as Record<LeafName, KeyPairFile>;
  names.forEach((name, i) => {
    leaves[name] = ensureLeaf(
      stored[i]!,
      LEAVES[name],
      authorities[LEAVES[name].authority],
      now,
      cover,
      writes,
    );
  });
  const keys = ensureServiceAccountKeys(serviceAccount, writes);
  await writeAll(directory, writes);
  return { ...authorities, ...leaves, serviceAccount: keys, written: [...writes.keys()] };
}

interface Cover {
  dnsNames: string[];
  addresses: string[];
}

function coverOf(request: PKIRequest): Cover {
  const { hostname, dnsDomain, serviceAddresses, names = [], addresses = [] } = request;
  const service = "kubernetes.default";
  const dnsNames = new Set([
    "kubernetes",
    service,
    `${service}.svc`,
    `${service}.svc.${dnsDomain}`,
    "localhost",
  ]);
  const numbers = new Set(["127.0.0.1", "::1", ...serviceAddresses]);
  for (const given of [hostname, ...names, ...addresses]) {
    if (given === "") continue;
    if (isIP(given) !== 0) numbers.add(given);
    else dnsNames.add(given.toLowerCase());
  }
  return { dnsNames: [...dnsNames], addresses: [...numbers] };
}

function ensureAuthority(
  { damage, ...file }: FoundPair,
  commonName: string,
  now: Date,
  writes: Map<string, string>,
): KeyPairFile {
  if (damage) throw new PKIUnusable(`${damage}: restore it, all that the cluster trusts was issued by it`);
  if (file.certificate === "") {
    if (file.key !== "") throw missing(file.certificatePath, file.keyPath);
    return record(file, makeAuthority(commonName, now), writes);
  }
  if (file.key !== "") requireMatch(file);
  return file;
}

function ensureLeaf(
  { damage, ...file }: FoundPair,
  leaf: Leaf,
  authority: KeyPairFile,
  now: Date,
  cover: Cover,
  writes: Map<string, string>,
): KeyPairFile {
  const serves = leaf.usage === "server";
  if (damage === undefined && file.certificate !== "" && file.key !== "") {
    requireMatch(file);
    if (isGood(file, authority, now, serves ? cover : undefined)) return file;
  }
  if (authority.key === "")
    throw new PKIUnusable(`${file.certificatePath} must be issued, but ${authority.keyPath} is missing`);
  const { subject, usage } = leaf;
  const issued = issueCertificate(authority, {
    subject,
    usage,
    ...validity(now, LEAF_DAYS),
    ...(serves ? cover : {}),
  });
  return record(file, issued, writes);
}

function isGood(file: KeyPairFile, authority: KeyPairFile, now: Date, cover: Cover | undefined): boolean {
  const issuer = new X509Certificate(authority.certificate);
  if (!new X509Certificate(file.certificate).verify(issuer.publicKey)) return false;
  const certificate = readCertificate(derOf(file.certificate));
  // A short-lived certificate that an operator laid down is replaced in its last quarter too.
  const lifetime = certificate.notAfter.getTime() - certificate.notBefore.getTime();
  if (certificate.notAfter.getTime() - now.getTime() < Math.min(RENEW_BEFORE, lifetime / 4)) return false;
  if (!cover) return certificate.extendedKeyUsages?.includes(OID.clientAuth) ?? true;
  const names = new Set(certificate.dnsNames.map((name) => name.toLowerCase()));
  const addresses = new Set(certificate.ipAddresses.map((bytes) => bytes.join()));
  return (
    cover.dnsNames.every((name) => names.has(name)) &&
    cover.addresses.every((address) => addresses.has(addressBytes(address).join()))
  );
}

function record(file: KeyPairFile, made: KeyPair, writes: Map<string, string>): KeyPairFile {
  // The key first: the pair is whole as soon as its certificate is there.
  writes.set(file.keyPath, made.key);
  writes.set(file.certificatePath, made.certificate);
  return { ...file, ...made };
}

function requireMatch({ certificate, key, certificatePath, keyPath }: KeyPairFile): void {
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
    throw new PKIUnusable(`${keyPath} is not the key of ${certificatePath}`);
}

function ensureServiceAccountKeys(
  found: PKI["serviceAccount"],
  writes: Map<string, string>,
): PKI["serviceAccount"] {
  let { privateKey, publicKey } = found;
  if (privateKey === "") {
    if (publicKey !== "") throw missing(found.privateKeyPath, found.publicKeyPath);
    privateKey = keyToPEM(makePrivateKey());
    writes.set(found.privateKeyPath, privateKey);
  }
  if (publicKey === "") {
    publicKey = keyToPEM(createPublicKey(privateKey));
    writes.set(found.publicKeyPath, publicKey);
  }
  return { ...found, privateKey, publicKey };
}

function missing(path: string, other: string): PKIUnusable {
  return new PKIUnusable(`${path} is missing or empty, but ${other} is there: restore it`);
}

async function readPair(directory: string, name: string): Promise<FoundPair> {
  const certificatePath = join(directory, `${name}.crt`);
  const keyPath = join(directory, `${name}.key`);
  const [certificate, key] = await Promise.all([readIfThere(certificatePath), readIfThere(keyPath)]);
  const damage =
    damageOf(certificatePath, certificate, (text) => new X509Certificate(text)) ??
    damageOf(keyPath, key, createPrivateKey);
  return { certificate, key, certificatePath, keyPath, damage };
}

/** What is wrong with the file, of which nothing may be there yet. */
function damageOf(path: string, text: string, parse: (text: string) => unknown): string | undefined {
  if (text === "") return undefined;
  try {
    parse(text);
    return undefined;
  } catch (error) {
    return `${path} is damaged (${(error as Error).message})`;
  }
}

async function readServiceAccountKeys(directory: string): Promise<PKI["serviceAccount"]> {
  const privateKeyPath = join(directory, "sa.key");
  const publicKeyPath = join(directory, "sa.pub");
  const [privateKey, publicKey] = await Promise.all([
    readIfThere(privateKeyPath),
    readIfThere(publicKeyPath),
  ]);
  const damage =
    damageOf(privateKeyPath, privateKey, createPrivateKey) ??
    damageOf(publicKeyPath, publicKey, createPublicKey);
  if (damage) throw new PKIUnusable(`${damage}: restore it, the tokens of service accounts hang on it`);
  return { privateKey, publicKey, privateKeyPath, publicKeyPath };
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

async function writeAll(directory: string, writes: ReadonlyMap<string, string>): Promise<void> {
  if (writes.size === 0) return;
  await Promise.all([...writes].map(([path, content]) => writeFileAtomically(path, content)));
  const folder = await open(directory, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
