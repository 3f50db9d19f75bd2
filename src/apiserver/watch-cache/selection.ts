/** Which objects a list or a watch is about, compiled so that testing one object costs nanoseconds. */
import type { Resource } from "../../api/resource.ts";
import { type CachedObject, shapeOf } from "./cached-object.ts";

/** One term of a field selector: equality, or inequality. */
export interface FieldRequirement {
  field: string;
  equals: boolean;
  value: string;
}

export interface LabelMatcher {
  matches(labels: Readonly<Record<string, string>> | undefined): boolean;
  readonly requirements: readonly { key: string; operator: string; values: readonly string[] }[];
}

export interface Selection {
  /** "" means all namespaces, or a cluster-scoped resource. */
  namespace: string;
  /** Where only one object can match. */
  name: string | undefined;
  /** Undefined selects everything that namespace and name let through. */
  matches: ((object: CachedObject) => boolean) | undefined;
  /** An equality on a label, by which lists are narrowed down. */
  label: { key: string; value: string } | undefined;
  /** An equality on an indexed field, by which watchers are found: its position in Shape.fieldNames, and the value. */
  trigger: { field: number; value: string } | undefined;
}

/**
 * Builds a Selection. `labels` undefined means no label selector. The fields must be ones that the resource declares;
 * the caller refuses others before.
 */
export function selectionOf(
  resource: Resource,
  namespace: string,
  labels: LabelMatcher | undefined,
  fields: readonly FieldRequirement[],
): Selection {
  const shape = shapeOf(resource);
  let name: string | undefined;
  let trigger: Selection["trigger"];
  let within = namespace;
  const tests: ((object: CachedObject) => boolean)[] = [];
  for (const { field, equals, value } of fields) {
    if (field === "metadata.name") {
      if (equals && (name === undefined || name === value)) name = value;
      else tests.push((o) => (o.name === value) === equals);
    } else if (field === "metadata.namespace") {
      if (equals && within === "" && resource.scope === "Namespaced") within = value;
      else tests.push((o) => (o.namespace === value) === equals);
    } else {
      const at = shape.fieldNames.indexOf(field);
      if (equals && value !== "") trigger ??= { field: at, value };
      tests.push((o) => (o.facets.fields[at] === value) === equals);
    }
  }
  if (labels) tests.push(labelTest(labels));
  const matches =
    tests.length === 0
      ? undefined
      : tests.length === 1
        ? tests[0]!
        : (o: CachedObject) => tests.every((test) => test(o));
  const label = labels && equalityOf(labels);
  return { namespace: within, name, matches, trigger, label };
}

function equalityOf({ requirements }: LabelMatcher): Selection["label"] {
  for (const { key, operator, values } of requirements) {
    if (operator === "=" || operator === "==") return { key, value: values[0]! };
  }
  return undefined;
}

/** One equality, which is what most selectors are, needs no more than a look at the label. */
function labelTest(labels: LabelMatcher): (object: CachedObject) => boolean {
  const [only, ...more] = labels.requirements;
  if (only && more.length === 0 && (only.operator === "=" || only.operator === "==")) {
    const { key } = only;
    const value = only.values[0];
    // A key that objects inherit (`constructor`) is never a text, so it never equals one.
    return (object) => object.facets.labels?.[key] === value;
  }
  return (object) => labels.matches(object.facets.labels);
}

/** The one object that a selection can hold, where namespace and name say which. */
export function onlyKey(resource: Resource, { namespace, name }: Selection): string | undefined {
  if (name === undefined) return undefined;
  if (resource.scope === "Cluster") return name;
  return namespace === "" ? undefined : `${namespace}/${name}`;
}

/** Whether an object that lies in the selection's namespace and has its name is selected. */
export function selects(selection: Selection, object: CachedObject): boolean {
  if (selection.name !== undefined && object.name !== selection.name) return false;
  if (selection.namespace !== "" && object.namespace !== selection.namespace) return false;
  return selection.matches === undefined || selection.matches(object);
}
