/**
 * What a kubelet (user `system:node:<name>` of group `system:nodes`) may do: read what the pods bound to its node name,
 * and see to its own objects. What a node writes into them is NodeRestriction's to check.
 */
import type { Attributes, Authorizer, Decision, User } from "../../../api/user.ts";
import { CLUSTER_ROLES } from "../bootstrap-policy/cluster-roles.ts";
import { readRoleText } from "../bootstrap-policy/role-text.ts";
import { ruleAllowsAction, ruleAllowsName, ruleAllowsPath } from "../policy-rule.ts";
import type { NodeGraph } from "./node-graph.ts";

const PREFIX = "system:node:";
const LEASES = "kube-node-lease";
const OWN_VERBS = new Set(["get", "create", "update", "patch", "delete"]);
const READ_VERBS = new Set(["get", "list", "watch"]);

const ALLOW: Decision = { decision: "allow", reason: "" };
const NONE: Decision = { decision: "none", reason: "" };

export function nodeAuthorizer(graph: Pick<NodeGraph, "isRelated">): Authorizer {
  const rules = readRoleText(CLUSTER_ROLES["system:node"] ?? "");
  return {
    authorize(attributes) {
      const { user } = attributes;
      const node = nodeOf(user);
      if (node === undefined) return NONE;
      if (node === "") return no(`unknown node for user ${JSON.stringify(user.name)}`);
      const check = attributes.isResource
        ? CHECKS.get(`${attributes.resource}.${attributes.group}`)
        : undefined;
      if (check) return check(node, attributes, graph);
      const { verb, path, name } = attributes;
      const allowed = rules.some((rule) =>
        attributes.isResource
          ? ruleAllowsAction(rule, attributes) && ruleAllowsName(rule, name)
          : ruleAllowsPath(rule, verb, path),
      );
      return allowed ? ALLOW : NONE;
    },
    rulesFor(user) {
      const none = { resourceRules: [], nonResourceRules: [], incomplete: false };
      if (nodeOf(user) === undefined) return none;
      const evaluationError = "node authorizer does not support user rule resolution";
      return { ...none, incomplete: true, evaluationError };
    },
  };
}

/** The node's name, "" where the user is a node without one, undefined where it is no node. */
function nodeOf({ name, groups }: User): string | undefined {
  if (!name.startsWith(PREFIX) || !groups.includes("system:nodes")) return undefined;
  return name.slice(PREFIX.length);
}

function no(reason: string): Decision {
  return { decision: "none", reason };
}

type Check = (node: string, attributes: Attributes, graph: Pick<NodeGraph, "isRelated">) => Decision;

const related: Check = (node, { resource, namespace, name }, graph) => {
  if (name === "") return no("No Object name found");
  if (graph.isRelated(node, resource, namespace, name)) return ALLOW;
  return no(`no relationship found between node '${node}' and this object`);
};

const getRelated: Check = (node, attributes, graph) => {
  if (attributes.verb !== "get") return no("can only get individual resources of this type");
  if (attributes.subresource !== "") return no("cannot get subresource");
  return related(node, attributes, graph);
};

const readRelated: Check = (node, attributes, graph) => {
  if (!READ_VERBS.has(attributes.verb)) return no("can only read resources of this type");
  if (attributes.subresource !== "") return no("cannot read subresource");
  if (attributes.namespace === "") return no("can only read namespaced object of this type");
  return related(node, attributes, graph);
};

const claim: Check = (node, attributes, graph) => {
  if (attributes.subresource !== "status") return getRelated(node, attributes, graph);
  if (attributes.verb !== "update" && attributes.verb !== "patch")
    return no("can only get/update/patch this type");
  return related(node, attributes, graph);
};

const token: Check = (node, attributes, graph) => {
  if (attributes.verb !== "create" || attributes.name === "") {
    return no("can only create tokens for individual service accounts");
  }
  if (attributes.subresource !== "token") return no("can only create token subresource of serviceaccount");
  return related(node, attributes, graph);
};

const lease: Check = (node, { verb, namespace, name }) => {
  if (!OWN_VERBS.has(verb)) return no("can only get, create, update, patch, or delete a node lease");
  if (namespace !== LEASES)
    return no(`can only access leases in the ${JSON.stringify(LEASES)} system namespace`);
  if (verb !== "create" && name !== node) {
    return no("can only access node lease with the same name as the requesting node");
  }
  return ALLOW;
};

const csiNode: Check = (node, { verb, subresource, name }) => {
  if (!OWN_VERBS.has(verb)) return no("can only get, create, update, patch, or delete a CSINode");
  if (subresource !== "") return no("cannot authorize CSINode subresources");
  if (verb !== "create" && name !== node) {
    return no("can only access CSINode with the same name as the requesting node");
  }
  return ALLOW;
};

const resourceSlice: Check = (node, attributes, graph) => {
  const { verb, subresource, fieldSelector } = attributes;
  if (subresource !== "") return no("cannot authorize ResourceSlice subresources");
  if (verb === "create") return ALLOW;
  if (verb === "get" || verb === "update" || verb === "patch" || verb === "delete") {
    return related(node, attributes, graph);
  }
  if (selects(fieldSelector, "spec.nodeName", node)) return ALLOW;
  return no("can only list/watch/deletecollection resourceslices with nodeName field selector");
};

const ownNode: Check = (node, { verb, subresource, name }) => {
  if (subresource === "status") return verb === "update" || verb === "patch" ? ALLOW : NONE;
  if (subresource !== "") return NONE;
  if (verb === "create" || verb === "update" || verb === "patch") return ALLOW;
  if (!READ_VERBS.has(verb)) return NONE;
  if (name === node) return ALLOW;
  return no(
    name === ""
      ? `node '${node}' cannot read all nodes, only its own Node object`
      : `node '${node}' cannot read '${name}', only its own Node object`,
  );
};

const pod: Check = (node, attributes, graph) => {
  const { verb, subresource, name, fieldSelector } = attributes;
  if (subresource === "status") return verb === "update" || verb === "patch" ? ALLOW : NONE;
  if (subresource === "eviction") return verb === "create" ? ALLOW : NONE;
  if (subresource !== "") return NONE;
  if (verb === "create" || verb === "delete") return ALLOW;
  if (verb === "get") return related(node, attributes, graph);
  if (verb !== "list" && verb !== "watch") return NONE;
  if (selects(fieldSelector, "spec.nodeName", node)) return ALLOW;
  if (name !== "") return related(node, attributes, graph);
  return no("can only list/watch pods with spec.nodeName field selector");
};

/** Whether a field selector (terms joined by commas, all of which hold) asks for this value. */
function selects(selector: string | undefined, field: string, value: string): boolean {
  if (selector === undefined) return false;
  return selector.split(",").some((term) => term === `${field}=${value}` || term === `${field}==${value}`);
}

const CHECKS: ReadonlyMap<string, Check> = new Map([
  ["secrets.", readRelated],
  ["configmaps.", readRelated],
  ["persistentvolumeclaims.", claim],
  ["persistentvolumes.", getRelated],
  ["resourceclaims.resource.k8s.io", getRelated],
  ["volumeattachments.storage.k8s.io", getRelated],
  ["serviceaccounts.", token],
  ["leases.coordination.k8s.io", lease],
  ["csinodes.storage.k8s.io", csiNode],
  ["resourceslices.resource.k8s.io", resourceSlice],
  ["nodes.", ownNode],
  ["pods.", pod],
]);
