/** Everything that the runtime has of pods, whoever they are. */
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { POD_NAME, POD_NAMESPACE, POD_UID, readContainerMarks } from "./runtime-labels.ts";

/** A pod of which the runtime has something. */
export interface KnownPod {
  uid: string;
  name: string;
  namespace: string;
  graceSeconds?: number;
}

export class RuntimeInventory {
  /** The pod's uid, by the ids of its containers and sandboxes. */
  #owners = new Map<string, string>();
  /** What is there of a pod, in short: a text that differs when anything of it changed. */
  #picture = new Map<string, string>();

  /** The pod whose container or sandbox it was when everything was read last. */
  ownerOf(id: string): string | undefined {
    return this.#owners.get(id);
  }

  /** `changed` are the uids of pods of which there is something else than the last time. */
  async read(
    runtime: Pick<ContainerRuntime, "listPodSandbox" | "listContainers">,
  ): Promise<{ pods: KnownPod[]; changed: string[] }> {
    const [{ items }, { containers }] = await Promise.all([
      runtime.listPodSandbox({}),
      runtime.listContainers({}),
    ]);
    const found = new Map<string, KnownPod>();
    const before = this.#picture;
    const picture = new Map<string, string>();
    const owners = new Map<string, string>();
    const enter = (id: string, state: number, labels: ReadonlyMap<string, string>): KnownPod | undefined => {
      const uid = labels.get(POD_UID);
      if (uid === undefined) return undefined;
      owners.set(id, uid);
      picture.set(uid, `${picture.get(uid) ?? ""}${id}=${state} `);
      const known = found.get(uid) ?? {
        uid,
        name: labels.get(POD_NAME) ?? "",
        namespace: labels.get(POD_NAMESPACE) ?? "",
      };
      found.set(uid, known);
      return known;
    };
    for (const { id, state, labels } of items.toSorted(byID)) enter(id, state, labels);
    for (const { id, state, labels, annotations } of containers.toSorted(byID)) {
      const known = enter(id, state, labels);
      if (known) known.graceSeconds ??= readContainerMarks(annotations).terminationGraceSeconds;
    }
    this.#owners = owners;
    this.#picture = picture;
    const uids = new Set([...before.keys(), ...picture.keys()]);
    const changed = [...uids].filter((uid) => before.get(uid) !== picture.get(uid));
    return { pods: [...found.values()], changed };
  }
}

function byID(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1;
}
