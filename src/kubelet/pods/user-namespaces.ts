/**
 * The users of pods that are not to have the machine's (hostUsers: false). Each pod has a range of the machine's ids to
 * itself, of which the first is its root. A file in the pod's directory says which, in upstream's form, and goes with the
 * pod: what is taken is what these files say.
 */
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { posix } from "node:path";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { Sent } from "../../host/grpc/messages.ts";
import { PodError } from "../ports.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import type { ContainerConfig } from "../runtime/cri/containers.ts";
import { type IDMapping, NamespaceMode, type PodSandboxConfig } from "../runtime/cri/shared.ts";
import { podDirectory, uidOf } from "./pod-name.ts";

/** Ids of a pod; the machine's own users are below the first range. */
const LENGTH = 65_536;
/** Ids are of 32 bits, and the last of them is none. */
const RANGES = 2 ** 16 - 1;
const FILE = "userns";

type Mapping = Sent<typeof IDMapping>;

interface Mappings {
  uidMappings: Mapping[];
  gidMappings: Mapping[];
}

export interface UserNamespacesOptions {
  /** `root` of KubeletPaths. */
  root: string;
  runtime: Pick<ContainerRuntime, "status">;
  /** By what configuration of the runtime the pod runs. Throws PodError. */
  runtimeHandler(pod: Pod): string;
}

export class UserNamespaces {
  readonly #options: UserNamespacesOptions;
  /** One range is looked for at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: UserNamespacesOptions) {
    this.#options = options;
  }

  /** The configuration with the pod's own users, the same ones each time. Throws PodError where the runtime cannot. */
  async applyTo(config: Sent<typeof PodSandboxConfig>, pod: Pod): Promise<Sent<typeof PodSandboxConfig>> {
    if (pod.spec?.hostUsers !== false) return config;
    await this.#check(pod);
    const turn = this.#turn.then(() => this.#rangeOf(uidOf(pod)));
    this.#turn = turn.catch(() => {});
    const { uidMappings: uids, gidMappings: gids } = await turn;
    const { linux = {} } = config;
    const { securityContext = {} } = linux;
    const namespaceOptions = {
      ...securityContext.namespaceOptions,
      usernsOptions: { mode: NamespaceMode.POD, uids, gids },
    };
    return { ...config, linux: { ...linux, securityContext: { ...securityContext, namespaceOptions } } };
  }

  async #check(pod: Pod): Promise<void> {
    const name = this.#options.runtimeHandler(pod);
    const { runtimeHandlers } = await this.#options.runtime.status({});
    const handler = runtimeHandlers.find((one) => one.name === name);
    if (handler?.features?.userNamespaces) return;
    const who = name === "" ? "runtime" : `RuntimeClass handler ${JSON.stringify(name)}`;
    throw new PodError(
      "FailedCreatePodSandBox",
      `Failed to create pod sandbox: can't set \`spec.hostUsers: false\`, ${who} does not support user namespaces`,
    );
  }

  async #rangeOf(uid: string): Promise<Mappings> {
    const { root } = this.#options;
    const kept = await readMappings(root, uid);
    if (kept) return kept;
    const uids = await readdir(posix.join(root, "pods")).catch((): string[] => []);
    const all = await Promise.all(uids.map((other) => readMappings(root, other)));
    const taken = new Set(all.map((mappings) => mappings?.uidMappings[0]?.hostId));
    let range = 1;
    while (taken.has(range * LENGTH)) range++;
    if (range >= RANGES) throw new PodError("FailedCreatePodSandBox", "no users are left for the pod");
    const mapping = [{ hostId: range * LENGTH, containerId: 0, length: LENGTH }];
    const mappings = { uidMappings: mapping, gidMappings: mapping };
    await mkdir(podDirectory(root, uid), { recursive: true, mode: 0o750 });
    await writeFile(posix.join(podDirectory(root, uid), FILE), JSON.stringify(mappings), { mode: 0o644 });
    return mappings;
  }
}

/** Undefined where the pod has none, or a machine that failed left half a file: nothing runs with that yet. */
async function readMappings(root: string, uid: string): Promise<Mappings | undefined> {
  const text = await readFile(posix.join(podDirectory(root, uid), FILE), "utf8").catch(() => "");
  try {
    return JSON.parse(text) as Mappings;
  } catch {
    return undefined;
  }
}

/**
 * The container with the users of its sandbox; what it mounts belongs to whom it belongs to on the machine. A mount that says
 * whose it is, or by an empty list that it cannot be said, stays as it is.
 */
export function withUsersOf(
  sandbox: Sent<typeof PodSandboxConfig>,
  config: Sent<typeof ContainerConfig>,
): Sent<typeof ContainerConfig> {
  const usernsOptions = sandbox.linux?.securityContext?.namespaceOptions?.usernsOptions;
  if (!usernsOptions) return config;
  const { linux = {}, mounts = [] } = config;
  const { securityContext = {} } = linux;
  const namespaceOptions = { ...securityContext.namespaceOptions, usernsOptions };
  return {
    ...config,
    linux: { ...linux, securityContext: { ...securityContext, namespaceOptions } },
    mounts: mounts.map((mount) => ({
      ...mount,
      uidMappings: mount.uidMappings ?? usernsOptions.uids ?? [],
      gidMappings: mount.gidMappings ?? usernsOptions.gids ?? [],
    })),
  };
}
