/** PodTopologySpreadArgs of KubeSchedulerConfiguration. */
import type { TopologySpreadConstraint } from "../../../api/schema/core.v1.generated.ts";
import { isQualifiedName } from "../../../machinery/names/names.ts";
import { type ArgumentsReader, type Given, readArguments } from "../../framework/arguments.ts";

export interface SpreadArguments {
  /** For pods without constraints of their own, which belong together by Services and owners. */
  defaultConstraints: readonly TopologySpreadConstraint[];
  /** Nodes without the labels count as well. */
  systemDefaulted: boolean;
}

const SYSTEM: readonly TopologySpreadConstraint[] = [
  { topologyKey: "kubernetes.io/hostname", whenUnsatisfiable: "ScheduleAnyway", maxSkew: 3 },
  { topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "ScheduleAnyway", maxSkew: 5 },
];

const ACTIONS = ["DoNotSchedule", "ScheduleAnyway"];

function readConstraint(from: ArgumentsReader): TopologySpreadConstraint {
  const topologyKey = from.text("topologyKey", "");
  if (topologyKey === "") throw from.missing("topologyKey", "can not be empty");
  const [wrong] = isQualifiedName(topologyKey);
  if (wrong !== undefined) throw from.invalid("topologyKey", topologyKey, wrong);
  const whenUnsatisfiable = from.text("whenUnsatisfiable", "", ACTIONS);
  if (whenUnsatisfiable === "") throw from.missing("whenUnsatisfiable");
  if (from.has("labelSelector")) {
    throw from.invalid(
      "labelSelector",
      from.raw("labelSelector"),
      "constraint must not define a selector, as they deduced for each pod",
    );
  }
  return { topologyKey, whenUnsatisfiable, maxSkew: from.number("maxSkew", 0, 1, Number.POSITIVE_INFINITY) };
}

export function readSpreadArguments(given: Given | undefined): SpreadArguments {
  return readArguments(given, (from) => {
    const list = from.list("defaultConstraints", readConstraint) ?? [];
    const type = from.text("defaultingType", "System", ["System", "List"]);
    if (type === "System") {
      if (list.length > 0) {
        throw from.invalid("defaultingType", type, "when .defaultConstraints are not empty");
      }
      return { defaultConstraints: SYSTEM, systemDefaulted: true };
    }
    const seen = new Set<string>();
    for (const [i, { topologyKey, whenUnsatisfiable }] of list.entries()) {
      const pair = `${topologyKey}, ${whenUnsatisfiable}`;
      if (seen.has(pair)) throw from.invalid(`defaultConstraints[${i}]`, `{${pair}}`, "Duplicate value");
      seen.add(pair);
    }
    return { defaultConstraints: list, systemDefaulted: false };
  });
}
