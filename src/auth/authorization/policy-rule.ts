/** What one rule of a role allows (rbac.authorization.k8s.io PolicyRule), and what one set of rules lacks of another. */
import type { Attributes } from "../../api/user.ts";

export interface PolicyRule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

const ALL = "*";

export type Action = Pick<Attributes, "verb" | "group" | "resource" | "subresource">;

/** Whether the rule lets the action, names aside. */
export function ruleAllowsAction(rule: PolicyRule, { verb, group, resource, subresource }: Action): boolean {
  if (!holds(rule.verbs, verb) || !holds(rule.apiGroups, group)) return false;
  const { resources = [] } = rule;
  if (resources.includes(ALL)) return true;
  if (subresource === "") return resources.includes(resource);
  return resources.includes(`${resource}/${subresource}`) || resources.includes(`*/${subresource}`);
}

export function ruleAllowsName({ resourceNames }: PolicyRule, name: string): boolean {
  return !resourceNames || resourceNames.length === 0 || resourceNames.includes(name);
}

export function ruleAllowsPath({ verbs, nonResourceURLs }: PolicyRule, verb: string, path: string): boolean {
  return holds(verbs, verb) && (nonResourceURLs?.some((url) => pathCovers(url, path)) ?? false);
}

/** The parts of `wanted` that no rule of `held` covers, each with one verb, group, resource and name. */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(atoms).filter((atom) => !held.some((rule) => covers(rule, atom)));
}

function atoms({
  verbs,
  apiGroups = [],
  resources = [],
  resourceNames = [],
  nonResourceURLs = [],
}: PolicyRule) {
  const found: PolicyRule[] = [];
  for (const group of apiGroups) {
    for (const resource of resources) {
      for (const verb of verbs) {
        const atom = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (resourceNames.length === 0) found.push(atom);
        for (const name of resourceNames) found.push({ ...atom, resourceNames: [name] });
      }
    }
  }
  for (const url of nonResourceURLs) {
    for (const verb of verbs) found.push({ verbs: [verb], nonResourceURLs: [url] });
  }
  return found;
}

function covers(rule: PolicyRule, atom: PolicyRule): boolean {
  if (!holds(rule.verbs, atom.verbs[0]!)) return false;
  const url = atom.nonResourceURLs?.[0];
  if (url !== undefined) return rule.nonResourceURLs?.some((own) => pathCovers(own, url)) ?? false;
  if (!holds(rule.apiGroups, atom.apiGroups![0]!)) return false;
  const resource = atom.resources![0]!;
  const slash = resource.indexOf("/");
  const { resources = [], resourceNames = [] } = rule;
  const covered =
    holds(resources, resource) || (slash > 0 && resources.includes(`*${resource.slice(slash)}`));
  const name = atom.resourceNames?.[0];
  return covered && (resourceNames.length === 0 || (name !== undefined && resourceNames.includes(name)));
}

function holds(list: readonly string[] | undefined, item: string): boolean {
  return list !== undefined && (list.includes(item) || list.includes(ALL));
}

function pathCovers(own: string, path: string): boolean {
  if (own === path || own === ALL) return true;
  return own.endsWith(ALL) && path.startsWith(own.replace(/\*+$/, ""));
}

/** Joins atoms that differ only in their verb. */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const byTarget = new Map<string, PolicyRule>();
  for (const { verbs, ...target } of rules) {
    const key = JSON.stringify([
      target.apiGroups,
      target.resources,
      target.resourceNames,
      target.nonResourceURLs,
    ]);
    const one = byTarget.get(key);
    if (one && !target.nonResourceURLs) one.verbs = [...new Set([...one.verbs, ...verbs])];
    else byTarget.set(one ? `${key}${byTarget.size}` : key, { ...target, verbs: [...verbs] });
  }
  return [...byTarget.values()];
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`, as upstream prints a rule in an error. */
export function printRule(rule: PolicyRule): string {
  const part = (label: string, list: readonly string[] | undefined) =>
    list && list.length > 0 ? [`${label}:${printList(list)}`] : [];
  const parts = [
    ...part("APIGroups", rule.apiGroups),
    ...part("Resources", rule.resources),
    ...part("NonResourceURLs", rule.nonResourceURLs),
    ...part("ResourceNames", rule.resourceNames),
    ...part("Verbs", rule.verbs),
  ];
  return `{${parts.join(", ")}}`;
}

export function printList(list: readonly string[]): string {
  return `[${list.map((item) => JSON.stringify(item)).join(" ")}]`;
}
