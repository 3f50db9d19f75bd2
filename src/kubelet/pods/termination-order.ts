/** The order in which a pod's containers end: sidecars after all others, the last of them first. */
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { isSidecar } from "./restart-policy.ts";

export interface TerminationTurns {
  /** `stop` is given what it has to wait for, undefined where it need not. */
  stop(name: string, stop: (turn: Promise<unknown> | undefined) => Promise<void>): void;
  /** Stops those that were named. */
  begin(): void;
}

export function terminationTurns({ spec }: Pod): TerminationTurns {
  const sidecars = (spec?.initContainers ?? []).filter(isSidecar).map(({ name }) => name);
  const named = new Map<string, (turn: Promise<unknown> | undefined) => Promise<void>>();
  return {
    stop: (name, stop) => named.set(name, stop),
    begin() {
      const first = [...named].filter(([name]) => !sidecars.includes(name));
      let before = first.map(([, stop]) => stop(undefined));
      for (const name of sidecars.toReversed()) {
        const stop = named.get(name);
        if (stop) before = [...before, stop(before.length > 0 ? Promise.all(before) : undefined)];
      }
    },
  };
}
