/** Keeps pods to the nodes that their nodeSelector and node affinity name, and prefers those that they prefer. */
import { Node } from "../../api/core/node.ts";
import {
  type NodeMatcher,
  nodeSelectorMatcher,
  nodeSelectorTermMatcher,
  requiredNodeMatcher,
} from "../../api/core/node-selector.ts";
import type {
  NodeAffinity,
  NodeSelectorTerm,
  PodSpec,
  PreferredSchedulingTerm,
} from "../../api/schema/core.v1.generated.ts";
import { type ArgumentsReader, type Given, readArguments } from "../framework/arguments.ts";
import { normalizeByHighest } from "../framework/normalize.ts";
import { definePlugin, requeueWhen } from "../framework/plugin.ts";
import { sameLabels } from "../framework/pod-changes.ts";
import { type Rejection, reject } from "../framework/rejection.ts";

const NAME = "NodeAffinity";

const NO_MATCH = reject(
  NAME,
  "unresolvable",
  "node(s) didn't match Pod's node affinity/selector",
  () => "label a node as the pod's nodeSelector and node affinity ask, add such a node, or change the pod",
);
const NOT_ENFORCED = reject(
  NAME,
  "unresolvable",
  "node(s) didn't match scheduler-enforced node affinity",
  () => "label a node as addedAffinity of the scheduler's profile asks",
);
const CONFLICT = reject(
  NAME,
  "unresolvable",
  "pod affinity terms conflict",
  () => "the pod's required node affinity names no node that fits all of one term: change it",
);

interface Preference {
  weight: number;
  matches: NodeMatcher;
}

interface Arguments {
  required?: NodeMatcher;
  preferred: readonly Preference[];
}

function preferencesOf(terms: readonly PreferredSchedulingTerm[] | undefined): Preference[] {
  return (terms ?? []).map(({ weight, preference }) => ({
    weight,
    matches: nodeSelectorTermMatcher(preference),
  }));
}

const OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];

function readRequirement(from: ArgumentsReader) {
  const key = from.text("key", "");
  if (key === "") throw from.missing("key");
  const operator = from.text("operator", "", OPERATORS);
  const values = from.texts("values");
  if (operator === "") throw from.missing("operator");
  if ((operator === "In" || operator === "NotIn") && values.length === 0) {
    throw from.missing("values", "must be specified when `operator` is 'In' or 'NotIn'");
  }
  return { key, operator, values };
}

function readTerm(from: ArgumentsReader): NodeSelectorTerm {
  return {
    matchExpressions: from.list("matchExpressions", readRequirement),
    matchFields: from.list("matchFields", readRequirement),
  };
}

function readAffinity(from: ArgumentsReader): NodeAffinity {
  return {
    requiredDuringSchedulingIgnoredDuringExecution: from.object(
      "requiredDuringSchedulingIgnoredDuringExecution",
      (selector) => {
        const nodeSelectorTerms = selector.list("nodeSelectorTerms", readTerm);
        if (!nodeSelectorTerms || nodeSelectorTerms.length === 0) {
          throw selector.missing("nodeSelectorTerms", "must have at least one node selector term");
        }
        return { nodeSelectorTerms };
      },
    ),
    preferredDuringSchedulingIgnoredDuringExecution: from.list(
      "preferredDuringSchedulingIgnoredDuringExecution",
      (term) => {
        const preference = term.object("preference", readTerm);
        if (!preference) throw term.missing("preference");
        return { weight: term.number("weight", 0, 1, 100), preference };
      },
    ),
  };
}

function readNodeAffinityArguments(given: Given | undefined): Arguments {
  return readArguments(given, (from) => {
    const added = from.object("addedAffinity", readAffinity);
    const required = added?.requiredDuringSchedulingIgnoredDuringExecution;
    return {
      required: required && nodeSelectorMatcher(required),
      preferred: preferencesOf(added?.preferredDuringSchedulingIgnoredDuringExecution),
    };
  });
}

/**
 * The nodes that the required terms allow by name: undefined where a term does not say, and an empty set where all terms
 * contradict themselves.
 */
export function namedNodes(spec: PodSpec | undefined): ReadonlySet<string> | undefined {
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (!required || required.nodeSelectorTerms.length === 0) return undefined;
  const all = new Set<string>();
  for (const { matchFields } of required.nodeSelectorTerms) {
    let named: Set<string> | undefined;
    for (const { key, operator, values } of matchFields ?? []) {
      if (key !== "metadata.name" || operator !== "In") continue;
      const these = new Set(values);
      named = named ? named.intersection(these) : these;
    }
    if (!named) return undefined;
    for (const name of named) all.add(name);
  }
  return all;
}

/** The matcher of a pod's requirements is made once for its informer's object. */
const matchers = new WeakMap<PodSpec, { matches: NodeMatcher | undefined }>();

function requiredOf(spec: PodSpec | undefined): NodeMatcher | undefined {
  if (!spec || (!spec.nodeSelector && !spec.affinity?.nodeAffinity)) return undefined;
  let known = matchers.get(spec);
  if (!known) {
    known = { matches: requiredNodeMatcher(spec) };
    matchers.set(spec, known);
  }
  return known.matches;
}

export const nodeAffinity = definePlugin<Arguments>({
  name: NAME,
  weight: 2,
  arguments: readNodeAffinityArguments,
  start: (_, { required: enforced, preferred: added }) => ({
    prepareFilter({ pod }) {
      const required = requiredOf(pod.spec);
      if (!required && !enforced) return undefined;
      const only = namedNodes(pod.spec);
      if (only?.size === 0) return CONFLICT;
      return {
        only,
        twin: () => JSON.stringify([NAME, pod.spec?.nodeSelector, pod.spec?.affinity?.nodeAffinity]),
        filter({ node }): Rejection | undefined {
          if (enforced && !enforced(node)) return NOT_ENFORCED;
          return required && !required(node) ? NO_MATCH : undefined;
        },
      };
    },
    prepareScore({ pod }) {
      const own = pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution;
      if (!own?.length && added.length === 0) return undefined;
      const preferences = [...added, ...preferencesOf(own)];
      return {
        score({ node }) {
          let sum = 0;
          for (const { weight, matches } of preferences) if (matches(node)) sum += weight;
          return sum;
        },
        normalize: (scores) => normalizeByHighest(scores),
      };
    },
    requeue: [
      requeueWhen(Node, ({ was, now, waiting }) => {
        if (!now || (was && sameLabels(was.metadata.labels, now.metadata.labels))) return false;
        if (enforced && !enforced(now)) return false;
        const required = requiredOf(waiting.pod.spec);
        if (!required) return true;
        return required(now) && !(was && required(was));
      }),
    ],
  }),
});
