/**
 * Reads the notation in which the default roles are stated, one rule a line:
 *
 *   get,list,watch pods,services            resources of the core group
 *   update deployments/scale@apps           of other groups; `core` names the core group beside others
 *   get configmaps#cluster-info             only the objects of these names
 *   get /healthz,/version                   paths
 *
 * A line that ends in a comma goes on in the next one.
 */
import type { PolicyRule } from "../policy-rule.ts";

export function readRoleText(text: string): PolicyRule[] {
  const lines = text.replaceAll(/,\s+/g, ",").split("\n");
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map(readRule);
}

function readRule(line: string): PolicyRule {
  const [verbs = "", target = ""] = line.split(" ");
  const list = (part: string) => part.split(",");
  if (target.startsWith("/") || (target === "*" && !line.includes("@"))) {
    return { verbs: list(verbs), nonResourceURLs: list(target) };
  }
  const [before = "", names] = target.split("#");
  const [resources = "", groups] = before.split("@");
  return {
    verbs: list(verbs),
    apiGroups: groups === undefined ? [""] : list(groups).map((group) => (group === "core" ? "" : group)),
    resources: list(resources),
    ...(names === undefined ? {} : { resourceNames: list(names) }),
  };
}
