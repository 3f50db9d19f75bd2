/**
 * RBAC. Roles and bindings are observed and indexed by subject; what a user may do in a namespace is gathered once and
 * kept until a role or binding changes, so that a decision is two map look-ups.
 */
import type { KubeObject } from "../../api/object.ts";
import type { ObjectReader } from "../../api/ports.ts";
import type { Resource } from "../../api/resource.ts";
import type { Attributes, Authorizer, Decision, RuleList, User } from "../../api/user.ts";
import { type PolicyRule, ruleAllowsAction, ruleAllowsName, ruleAllowsPath } from "./policy-rule.ts";

export interface Subject {
  kind: string;
  name: string;
  namespace?: string;
  apiGroup?: string;
}

export interface RoleRef {
  kind: string;
  name: string;
  apiGroup?: string;
}

export interface StoredRole extends KubeObject {
  rules?: PolicyRule[];
}

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

export interface StoredClusterRole extends StoredRole {
  aggregationRule?: { clusterRoleSelectors?: LabelSelector[] };
}

export interface StoredBinding extends KubeObject {
  roleRef: RoleRef;
  subjects?: Subject[];
}

export interface RBACKinds {
  roles: Resource<StoredRole>;
  clusterRoles: Resource<StoredClusterRole>;
  roleBindings: Resource<StoredBinding>;
  clusterRoleBindings: Resource<StoredBinding>;
}

export interface RBACAuthorizer extends Authorizer {
  authorize(attributes: Attributes): Decision;
  rulesFor(user: User, namespace: string): RuleList;
  /** Every rule that the user has in the namespace, with what could not be resolved. */
  heldRules(user: User, namespace: string): { rules: PolicyRule[]; errors: string[] };
  /** The rules that a binding's reference stands for; undefined where there is no such role. */
  rulesOf(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined;
  close(): void;
}

/** A subject that a binding gives a role to. */
interface Grant {
  /** Orders grants as upstream lists bindings. */
  order: string;
  reason: string;
  roleRef: RoleRef;
  namespace: string;
}

interface HeldRule {
  rule: PolicyRule;
  allow: Decision;
}

/** What a user may do in one namespace ("" for the cluster). */
interface Held {
  rules: HeldRule[];
  errors: string[];
  /** By action, the rules that let it for some or all names. */
  byAction: Map<string, HeldRule[]>;
  refused: Decision;
}

interface Known {
  generation: number;
  byNamespace: Map<string, Held>;
}

const NOTHING: readonly never[] = [];
const MOST_ACTIONS = 4096;

export function openRBAC(reader: ObjectReader, kinds: RBACKinds): RBACAuthorizer {
  const index = new GrantIndex();
  const roles = new Map<string, StoredRole>();
  let generation = 0;
  let known = new WeakMap<User, Known>();

  const roleSeen = (now: StoredRole | undefined, was: StoredRole | undefined): void => {
    generation++;
    if (now) roles.set(roleKey(now.metadata.namespace ?? "", now.metadata.name ?? ""), now);
    else if (was) roles.delete(roleKey(was.metadata.namespace ?? "", was.metadata.name ?? ""));
  };
  const bindingSeen = (now: StoredBinding | undefined, was: StoredBinding | undefined): void => {
    generation++;
    if (was) index.remove(was);
    if (now) index.add(now);
  };
  const watches = [
    reader.observe(kinds.clusterRoles, roleSeen),
    reader.observe(kinds.roles, roleSeen),
    reader.observe(kinds.clusterRoleBindings, bindingSeen),
    reader.observe(kinds.roleBindings, bindingSeen),
  ];

  function rulesOf(roleRef: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    const role = roles.get(roleKey(roleRef.kind === "ClusterRole" ? "" : namespace, roleRef.name));
    return role && (role.rules ?? NOTHING);
  }

  function gather(user: User, namespace: string): Held {
    const held: Held = {
      rules: [],
      errors: [],
      byAction: new Map(),
      refused: { decision: "none", reason: "" },
    };
    for (const { reason, roleRef, namespace: home } of index.grantsOf(user, namespace)) {
      const rules = rulesOf(roleRef, home);
      if (!rules) {
        const kind = roleRef.kind.toLowerCase();
        held.errors.push(`${kind}.rbac.authorization.k8s.io "${roleRef.name}" not found`);
        continue;
      }
      const allow: Decision = { decision: "allow", reason };
      for (const rule of rules) held.rules.push({ rule, allow });
    }
    if (held.errors.length > 0)
      held.refused = { decision: "none", reason: `RBAC: ${aggregate(held.errors)}` };
    return held;
  }

  function heldBy(user: User, namespace: string): Held {
    let of = known.get(user);
    if (!of || of.generation !== generation) {
      of = { generation, byNamespace: new Map() };
      known.set(user, of);
    }
    let held = of.byNamespace.get(namespace);
    if (!held) {
      held = gather(user, namespace);
      of.byNamespace.set(namespace, held);
    }
    return held;
  }

  return {
    authorize(attributes) {
      const held = heldBy(attributes.user, attributes.namespace);
      if (!attributes.isResource) {
        const { verb, path } = attributes;
        return held.rules.find(({ rule }) => ruleAllowsPath(rule, verb, path))?.allow ?? held.refused;
      }
      for (const { rule, allow } of rulesForAction(held, attributes)) {
        if (ruleAllowsName(rule, attributes.name)) return allow;
      }
      return held.refused;
    },
    rulesFor(user, namespace) {
      const { rules, errors } = heldBy(user, namespace);
      const list: RuleList = { resourceRules: [], nonResourceRules: [], incomplete: errors.length > 0 };
      if (errors.length > 0) list.evaluationError = aggregate(errors);
      for (const { rule } of rules) {
        const { verbs, apiGroups = [], resources = [], resourceNames, nonResourceURLs = [] } = rule;
        if (resources.length > 0) {
          const names = resourceNames && resourceNames.length > 0 ? { resourceNames } : {};
          list.resourceRules.push({ verbs, apiGroups, resources, ...names });
        }
        if (nonResourceURLs.length > 0) list.nonResourceRules.push({ verbs, nonResourceURLs });
      }
      return list;
    },
    heldRules(user, namespace) {
      const { rules, errors } = heldBy(user, namespace);
      return { rules: rules.map(({ rule }) => rule), errors };
    },
    rulesOf,
    close() {
      for (const watch of watches) watch.close();
      known = new WeakMap();
    },
  };
}

function rulesForAction(held: Held, attributes: Attributes): HeldRule[] {
  const { verb, group, resource, subresource } = attributes;
  const action = `${verb} ${group}/${resource}/${subresource}`;
  let rules = held.byAction.get(action);
  if (!rules) {
    // Paths are the client's to choose: what is kept of them is bounded.
    if (held.byAction.size >= MOST_ACTIONS) held.byAction.clear();
    rules = held.rules.filter(({ rule }) => ruleAllowsAction(rule, attributes));
    held.byAction.set(action, rules);
  }
  return rules;
}

function roleKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** As upstream prints several errors as one. */
function aggregate(errors: readonly string[]): string {
  const unique = [...new Set(errors)];
  return unique.length === 1 ? unique[0]! : `[${unique.join(", ")}]`;
}

/** Grants by subject, then namespace. */
class GrantIndex {
  readonly #bySubject = new Map<string, Map<string, Map<string, Grant>>>();

  add(binding: StoredBinding): void {
    const namespace = binding.metadata.namespace ?? "";
    binding.subjects?.forEach((subject, i) => {
      const grants = entry(entry(this.#bySubject, subjectKey(subject, namespace)), namespace);
      const key = `${binding.metadata.name}/${i}`;
      grants.set(key, {
        order: `${namespace}/${binding.metadata.name}`,
        reason: `RBAC: allowed by ${describe(binding, subject)}`,
        roleRef: binding.roleRef,
        namespace,
      });
    });
  }

  remove(binding: StoredBinding): void {
    const namespace = binding.metadata.namespace ?? "";
    binding.subjects?.forEach((subject, i) => {
      const key = subjectKey(subject, namespace);
      const byNamespace = this.#bySubject.get(key);
      const grants = byNamespace?.get(namespace);
      grants?.delete(`${binding.metadata.name}/${i}`);
      if (grants?.size === 0) byNamespace?.delete(namespace);
      if (byNamespace?.size === 0) this.#bySubject.delete(key);
    });
  }

  /** Of the cluster first, then of the namespace, each in the order of bindings' names. */
  grantsOf(user: User, namespace: string): Grant[] {
    const found: Grant[] = [];
    const subjects = [`User ${user.name}`, ...new Set(user.groups.map((group) => `Group ${group}`))];
    for (const subject of subjects) {
      const byNamespace = this.#bySubject.get(subject);
      if (!byNamespace) continue;
      found.push(...(byNamespace.get("")?.values() ?? NOTHING));
      if (namespace !== "") found.push(...(byNamespace.get(namespace)?.values() ?? NOTHING));
    }
    return found.sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0));
  }
}

function entry<V>(map: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let inner = map.get(key);
  if (!inner) {
    inner = new Map();
    map.set(key, inner);
  }
  return inner;
}

function subjectKey({ kind, name, namespace }: Subject, home: string): string {
  if (kind !== "ServiceAccount") return `${kind} ${name}`;
  return `User system:serviceaccount:${namespace || home}:${name}`;
}

function describe({ metadata, roleRef }: StoredBinding, subject: Subject): string {
  const { name, namespace } = metadata;
  const binding = namespace ? `RoleBinding "${name}/${namespace}"` : `ClusterRoleBinding "${name}"`;
  const who =
    subject.kind === "ServiceAccount"
      ? `ServiceAccount "${subject.name}/${subject.namespace || namespace}"`
      : `${subject.kind} "${subject.name}"`;
  return `${binding} of ${roleRef.kind} "${roleRef.name}" to ${who}`;
}
