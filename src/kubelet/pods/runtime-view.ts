/** What runs of one pod, as far as is known: what the runtime said when it was last asked, and what was made since. */
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { LastWords } from "./last-words.ts";
import type { RuntimeChange } from "./runtime-events.ts";
import {
  type ContainerRecord,
  NOTHING_RUNS,
  type PodRuntime,
  readContainerStatus,
  readPodRuntime,
  type SandboxRecord,
  usableSandbox,
  withMade,
} from "./runtime-state.ts";
import { hasExited, isOutOfMemory, Settling } from "./settling.ts";

export class RuntimeView {
  /** Containers whose hook after their start is not done. */
  readonly hooked = new Set<string>();
  readonly #runtime: ContainerRuntime;
  readonly #uid: string;
  readonly #lastWords = new LastWords();
  readonly #exits = new Settling(hasExited);
  /** Those of which it is told that memory ran out: before or after their end. */
  readonly #shortages = new Settling(isOutOfMemory);
  #state: PodRuntime = NOTHING_RUNS;
  /** Whether the runtime must be asked anew. */
  #dirty: boolean;
  #reading = false;

  /** `runs`: whether the runtime may have something of the pod already. */
  constructor(runtime: ContainerRuntime, uid: string, runs: boolean) {
    this.#runtime = runtime;
    this.#uid = uid;
    this.#dirty = runs;
  }

  get state(): PodRuntime {
    return this.#state;
  }

  /** What users are told of: a container runs when its hook after its start is done. */
  get shown(): PodRuntime {
    if (this.hooked.size === 0) return this.#state;
    const shown = this.#state.containers.map((record): ContainerRecord => {
      const hooked = record.state === "running" && this.hooked.has(record.id);
      return hooked ? { ...record, state: "created" } : record;
    });
    return { ...this.#state, containers: shown };
  }

  ips(hostNetwork: boolean): readonly string[] | undefined {
    return usableSandbox(this.#state, hostNetwork)?.ips;
  }

  messageOf(record: ContainerRecord): string {
    return this.#lastWords.of(record);
  }

  /** Something is otherwise by now; where it is known, what became of which. */
  changed(id?: string, what?: RuntimeChange, now = 0): void {
    if (id !== undefined && what === "ended") this.#exits.add(id, now);
    if (id !== undefined && what === "out of memory") this.#shortages.add(id, now);
    this.#dirty = true;
  }

  /** What changes while it is read may have been missed: to go on by that would start things twice. */
  async refresh(): Promise<void> {
    while (this.#dirty) await this.read();
  }

  async read(): Promise<void> {
    this.#dirty = false;
    this.#reading = true;
    try {
      const containers = this.#state.containers.filter(({ id }) => !this.#shortages.has(id));
      this.#state = await readPodRuntime(this.#runtime, this.#uid, { ...this.#state, containers });
    } finally {
      this.#reading = false;
    }
    await this.#lastWords.read(this.#state);
    this.#exits.seen(this.#state);
    this.#shortages.seen(this.#state);
  }

  /** Spares asking the runtime for all that it has of the pod. */
  made(made: { sandbox?: SandboxRecord; container?: ContainerRecord }): void {
    this.#state = withMade(this.#state, made);
    // Who is just reading may not have seen it.
    if (this.#reading) this.#dirty = true;
  }

  /** They were removed so that all begin anew: the newest first of each container. */
  removed(records: readonly ContainerRecord[]): void {
    const former = new Map((this.#state.former ?? []).map((record) => [record.name, record]));
    for (const record of records.toReversed()) former.set(record.name, record);
    this.#state = { ...this.#state, former: [...former.values()] };
    this.#dirty = true;
  }

  async started({ id, name, sandboxID }: Pick<ContainerRecord, "id" | "name" | "sandboxID">): Promise<void> {
    const container = await readContainerStatus(this.#runtime, id, sandboxID, name).catch(() => undefined);
    // One that ended already left last words.
    if (container?.state === "running") this.made({ container });
    else this.changed();
  }

  /** Milliseconds after which the runtime is asked again of what ended by its events; undefined: not by itself. */
  settlesAfter(now: number): number | undefined {
    const settling = [this.#exits.next(now), this.#shortages.next(now)].filter((one) => one !== undefined);
    if (settling.length === 0) return undefined;
    this.#dirty = true;
    return Math.min(...settling);
  }
}
