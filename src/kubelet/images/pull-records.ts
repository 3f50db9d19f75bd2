/**
 * Which pods may use images that are on the disk already: those that were pulled with credentials are for pods that have
 * the same. What is remembered outlives the kubelet, as files of upstream's form:
 *
 *   <directory>/pulling/sha256-<hash of the name>    a pull is under way, or was when the kubelet died
 *   <directory>/pulled/sha256-<hash of the ref>      with whose credentials an image was pulled
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { repositoryOf } from "./image-reference.ts";

/** Of which images the credentials are verified (the kubelet's imagePullCredentialsVerificationPolicy). */
export type VerificationPolicy =
  | "NeverVerify"
  | "NeverVerifyPreloadedImages"
  | "NeverVerifyAllowlistedImages"
  | "AlwaysVerify";

/** A pull secret whose credentials fit an image. */
export interface SecretCredentials {
  uid: string;
  namespace: string;
  name: string;
  credentialHash: string;
}

/** With what an image was pulled: with nothing, or the node's own, every pod of the node may use it. */
export interface PullCredentials {
  nodePodsAccessible?: boolean;
  kubernetesSecrets?: readonly SecretCredentials[];
}

interface PulledRecord {
  lastUpdatedTime: string;
  imageRef: string;
  /** By repository. */
  credentialMapping: Map<string, PullCredentials>;
}

export interface PullRecordsOptions {
  directory: string;
  policy: VerificationPolicy;
  /** For NeverVerifyAllowlistedImages: repositories, where a last part `*` stands for any. */
  allowlist?: readonly string[];
  now(): number;
}

const API_VERSION = "kubelet.config.k8s.io/v1beta1";
/** So many secrets are remembered of an image. */
const MOST_SECRETS = 100;

export class PullRecords {
  private readonly options: PullRecordsOptions;
  private readonly pulled = new Map<string, PulledRecord>();
  private readonly pulling = new Map<string, number>();
  private loaded: Promise<void> | undefined;

  constructor(options: PullRecordsOptions) {
    this.options = options;
  }

  /** Whether an image that is there must be pulled again, to see that the pod's credentials are good for it. */
  async mustPull(image: string, imageRef: string, secrets: readonly SecretCredentials[]): Promise<boolean> {
    if (this.options.policy === "NeverVerify") return false;
    await this.load();
    const record = this.pulled.get(imageRef);
    const isPreloaded = record === undefined && !this.pulling.has(image);
    if (!this.verifies(image, isPreloaded)) return false;
    const known = record?.credentialMapping.get(repositoryOf(image));
    if (!known) return true;
    if (known.nodePodsAccessible) return false;
    for (const secret of secrets) {
      const match = known.kubernetesSecrets?.find(
        (one) => isSame(one, secret) || one.credentialHash === secret.credentialHash,
      );
      if (!match) continue;
      // Its other half may be new: another secret of the same text, or the secret with another text.
      const isNew = !isSame(match, secret) || match.credentialHash !== secret.credentialHash;
      if (isNew) await this.remember(image, imageRef, { kubernetesSecrets: [secret] });
      return false;
    }
    return true;
  }

  async began(image: string): Promise<void> {
    await this.load();
    const under = this.pulling.get(image) ?? 0;
    this.pulling.set(image, under + 1);
    if (under === 0) await this.write("pulling", image, { kind: "ImagePullIntent", image });
  }

  async succeeded(image: string, imageRef: string, credentials: PullCredentials): Promise<void> {
    await this.remember(image, imageRef, credentials);
    await this.ended(image);
  }

  failed(image: string): Promise<void> {
    return this.ended(image);
  }

  /** Forgets images that are no more. */
  async keepOnly(imageRefs: ReadonlySet<string>): Promise<void> {
    await this.load();
    for (const imageRef of this.pulled.keys()) {
      if (imageRefs.has(imageRef)) continue;
      this.pulled.delete(imageRef);
      await rm(this.path("pulled", imageRef), { force: true });
    }
  }

  private verifies(image: string, isPreloaded: boolean): boolean {
    const { policy, allowlist = [] } = this.options;
    if (policy === "AlwaysVerify") return true;
    if (!isPreloaded) return true;
    if (policy === "NeverVerifyPreloadedImages") return false;
    const repository = repositoryOf(image);
    return !allowlist.some((one) =>
      one.endsWith("/*") ? repository.startsWith(one.slice(0, -1)) : repository === one,
    );
  }

  private async ended(image: string): Promise<void> {
    const left = (this.pulling.get(image) ?? 1) - 1;
    if (left > 0) {
      this.pulling.set(image, left);
      return;
    }
    this.pulling.delete(image);
    await rm(this.path("pulling", image), { force: true });
  }

  private async remember(image: string, imageRef: string, credentials: PullCredentials): Promise<void> {
    await this.load();
    const before = this.pulled.get(imageRef);
    const mapping = new Map(before?.credentialMapping);
    const repository = repositoryOf(image);
    const known = mapping.get(repository);
    const merged = merge(known, credentials);
    if (known && JSON.stringify(merged) === JSON.stringify(known)) return;
    mapping.set(repository, merged);
    const lastUpdatedTime = `${new Date(this.options.now()).toISOString().slice(0, 19)}Z`;
    const record = { lastUpdatedTime, imageRef, credentialMapping: mapping };
    this.pulled.set(imageRef, record);
    await this.write("pulled", imageRef, {
      kind: "ImagePulledRecord",
      lastUpdatedTime,
      imageRef,
      credentialMapping: Object.fromEntries(mapping),
    });
  }

  private path(folder: "pulling" | "pulled", of: string): string {
    return join(this.options.directory, folder, `sha256-${createHash("sha256").update(of).digest("hex")}`);
  }

  private async write(folder: "pulling" | "pulled", of: string, value: object): Promise<void> {
    await mkdir(join(this.options.directory, folder), { recursive: true, mode: 0o700 });
    const path = this.path(folder, of);
    await writeFile(`${path}.tmp`, JSON.stringify({ apiVersion: API_VERSION, ...value }), { mode: 0o600 });
    await rename(`${path}.tmp`, path);
  }

  private load(): Promise<void> {
    this.loaded ??= this.read();
    return this.loaded;
  }

  private async read(): Promise<void> {
    for (const record of await this.records("pulled")) {
      const { imageRef, lastUpdatedTime, credentialMapping } = record;
      if (typeof imageRef !== "string" || typeof lastUpdatedTime !== "string") continue;
      const mapping = new Map(Object.entries((credentialMapping ?? {}) as Record<string, PullCredentials>));
      this.pulled.set(imageRef, { imageRef, lastUpdatedTime, credentialMapping: mapping });
    }
    // A pull that a former kubelet began: whether the image is its work is not known, so credentials are asked for.
    for (const { image } of await this.records("pulling")) {
      if (typeof image === "string") this.pulling.set(image, 0);
    }
  }

  private async records(folder: "pulling" | "pulled"): Promise<Record<string, unknown>[]> {
    const directory = join(this.options.directory, folder);
    const names = await readdir(directory).catch(() => []);
    const found = names
      .filter((name) => !name.endsWith(".tmp"))
      .map(async (name) => {
        try {
          return [JSON.parse(await readFile(join(directory, name), "utf8")) as Record<string, unknown>];
        } catch {
          // Half written by a machine that lost its power: the image counts as preloaded.
          return [];
        }
      });
    return (await Promise.all(found)).flat();
  }
}

function isSame(a: SecretCredentials, b: SecretCredentials): boolean {
  return a.uid === b.uid && a.namespace === b.namespace && a.name === b.name;
}

function merge(known: PullCredentials | undefined, more: PullCredentials): PullCredentials {
  if (known?.nodePodsAccessible || more.nodePodsAccessible) return { nodePodsAccessible: true };
  const added = more.kubernetesSecrets ?? [];
  const kept = (known?.kubernetesSecrets ?? []).filter((one) => !added.some((other) => isSame(one, other)));
  return { kubernetesSecrets: [...kept, ...added].slice(-MOST_SECRETS) };
}
