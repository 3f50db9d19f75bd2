/**
 * Restarts of all containers of a pod in place: one of them ended in a way for which its rules want so.
 *
 *   ended by such a rule ──▶ the others are killed ──▶ all are removed, their logs stay ──▶ the pod begins anew
 *
 * Its sandbox, its addresses and its volumes stay as they are. Those that wanted it are removed last, so that a kubelet
 * that ends meanwhile does not leave it half done.
 */
import { mayRestartAll } from "../../api/core/pod/restart-rules.ts";
import type { Container, Pod } from "../../api/schema/core.v1.generated.ts";
import { restartRule } from "./restart-policy.ts";
import { type ContainerRecord, newestOf, type PodRuntime } from "./runtime-state.ts";

/**
 * The containers that must be gone before all begin anew, in the order in which they are to be removed; undefined where
 * nothing asks for it. `begun`: whether it was under way already.
 */
export function containersToReset(
  pod: Pod,
  runtime: PodRuntime,
  begun: boolean,
): ContainerRecord[] | undefined {
  if (!begun && !mayRestartAll(pod)) return undefined;
  const containers = restarted(pod);
  const askers = containers.flatMap((container) => asker(container, runtime));
  if (!begun && askers.length === 0) return undefined;
  const names = new Set(containers.map(({ name }) => name));
  const all = runtime.containers.filter(({ name }) => names.has(name));
  if (all.length === 0) return undefined;
  return [...all.filter((record) => !askers.includes(record)), ...askers];
}

function restarted({ spec }: Pod): Container[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
}

function asker(container: Container, runtime: PodRuntime): ContainerRecord[] {
  const record = newestOf(runtime, container.name);
  if (record?.state !== "exited") return [];
  return restartRule(container, record.exitCode)?.action === "RestartAllContainers" ? [record] : [];
}
