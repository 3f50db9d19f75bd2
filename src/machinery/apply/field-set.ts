/**
 * Sets of fields in the form they are stored in, FieldsV1: nested objects whose keys are path elements
 * (see path-element.ts). A field is in the set where its node is empty or holds ".":
 *
 *   {"f:spec": {"f:ports": {".": {}, "k:{\"port\":80}": {}}}}    spec.ports and spec.ports[port=80], but not spec
 *
 * The empty object as a whole is the empty set. Keys are sorted as structured-merge-diff sorts them. Sets are never
 * changed; what an operation leaves as it was is the same object afterwards, so that `===` tells "no change".
 */
import { compareElements } from "./path-element.ts";

export interface FieldSet {
  readonly [element: string]: FieldSet;
}

/** A node being built. */
export type Draft = { [element: string]: FieldSet };

/** The node of a field that is in the set and has nothing of it below. */
export const LEAF: FieldSet = Object.freeze({});

/** The set of no fields. Another object than LEAF, so that "nothing below" is told from "the field itself". */
export const EMPTY: FieldSet = Object.freeze({});

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false;
  return true;
}

/** Whether the field of this node is itself in the set. */
export function isMember(node: FieldSet): boolean {
  return node["."] !== undefined || isEmpty(node);
}

/** `a` and `b` together. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  return joined(a, b);
}

/** Of nodes below the root, where an empty one is a member. */
function joinedNode(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b) return a;
  if (isEmpty(a)) return isEmpty(b) ? a : isMember(b) ? b : withDot(b);
  if (isEmpty(b)) return isMember(a) ? a : withDot(a);
  return joined(a, b);
}

function withDot(node: FieldSet): FieldSet {
  return { ".": LEAF, ...node };
}

function joined(a: FieldSet, b: FieldSet): FieldSet {
  const result: Draft = {};
  let sameAsA = true;
  const left = Object.keys(a);
  const right = Object.keys(b);
  let i = 0;
  let j = 0;
  while (i < left.length || j < right.length) {
    const order = i >= left.length ? 1 : j >= right.length ? -1 : compareElements(left[i]!, right[j]!);
    if (order < 0) {
      result[left[i]!] = a[left[i]!]!;
      i++;
    } else if (order > 0) {
      result[right[j]!] = b[right[j]!]!;
      sameAsA = false;
      j++;
    } else {
      const element = left[i]!;
      const node = element === "." ? LEAF : joinedNode(a[element]!, b[element]!);
      if (node !== a[element] && element !== ".") sameAsA = false;
      result[element] = node;
      i++;
      j++;
    }
  }
  return sameAsA ? a : result;
}

/** The fields of `a` that are not in `b`. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  return reduced(a, b, false);
}

/** The fields of `a` that are neither in `b` nor below a field of `b`. */
export function differenceBelow(a: FieldSet, b: FieldSet): FieldSet {
  return reduced(a, b, true);
}

function reduced(a: FieldSet, b: FieldSet, below: boolean): FieldSet {
  let result: Draft | undefined;
  for (const element in b) {
    const mine = a[element];
    if (mine === undefined || element === ".") continue;
    const left = reducedNode(mine, b[element]!, below);
    if (left === mine) continue;
    result ??= { ...a };
    if (left === undefined) delete result[element];
    else result[element] = left;
  }
  return result ?? a;
}

function reducedNode(a: FieldSet, b: FieldSet, below: boolean): FieldSet | undefined {
  const taken = isMember(b);
  if (taken && (below || isEmpty(a))) return undefined;
  const rest = isEmpty(a) ? a : reduced(a, b, below);
  if (taken && rest["."] !== undefined) {
    const { ".": _, ...children } = rest;
    return isEmpty(children) ? undefined : children;
  }
  if (rest === a) return a;
  if (isEmpty(rest)) return undefined;
  return rest["."] !== undefined && Object.keys(rest).length === 1 ? LEAF : rest;
}

/** The fields that are in both. */
export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  return common(a, b) ?? EMPTY;
}

function common(a: FieldSet, b: FieldSet): FieldSet | undefined {
  let result: Draft | undefined;
  for (const element in a) {
    const other = b[element];
    if (other === undefined || element === ".") continue;
    const mine = a[element]!;
    const member = isMember(mine) && isMember(other);
    const children = common(mine, other);
    if (!member && !children) continue;
    result ??= {};
    result[element] = !children ? LEAF : member ? withDot(children) : children;
  }
  return result;
}

export function equalSets(a: FieldSet, b: FieldSet): boolean {
  if (a === b) return true;
  let count = 0;
  for (const element in a) {
    const other = b[element];
    if (other === undefined || !equalSets(a[element]!, other)) return false;
    count++;
  }
  for (const _ in b) count--;
  return count === 0;
}

/** Every field of the set by its path of elements, in order. */
export function* fieldsOf(set: FieldSet, above: readonly string[] = []): Generator<readonly string[]> {
  for (const element of Object.keys(set)) {
    if (element === ".") continue;
    const path = [...above, element];
    const node = set[element]!;
    if (isMember(node)) yield path;
    yield* fieldsOf(node, path);
  }
}
