import { Namespace } from "../../api/core/namespace.ts";
import type { KubeObject } from "../../api/object.ts";
import type { PodSpec } from "../../api/schema/core.v1.generated.ts";
import { invalid } from "../../machinery/field/field-error.ts";
import { type AdmissionRequest, defineAdmission } from "../plugin.ts";
import { refused } from "../refusal.ts";
import type { PodMeta } from "./check.ts";
import { type Level, type Policy, policyOf, printed, violations } from "./policy.ts";

interface Template {
  metadata?: PodMeta;
  spec?: PodSpec;
}

const WORKLOADS = [
  "replicationcontrollers",
  "replicasets.apps",
  "deployments.apps",
  "daemonsets.apps",
  "statefulsets.apps",
  "jobs.batch",
  "cronjobs.batch",
  "podtemplates",
];

/** Holds pods to the Pod Security Standard that their namespace asks for. */
export const podSecurity = defineAdmission({
  name: "PodSecurity",
  summary: "Enforces the level of the namespace's pod-security.kubernetes.io labels.",
  on: [
    ["pods", ["CREATE", "UPDATE"]],
    ["pods/ephemeralcontainers", ["UPDATE"]],
    ["namespaces", ["CREATE", "UPDATE"]],
    ...WORKLOADS.map((name) => [name, ["CREATE", "UPDATE"] as const] as const),
  ],
  start({ reader }) {
    const policies = new WeakMap<Namespace, Policy>();

    function policyFor(namespace: string): Policy | undefined {
      const found = reader.get(Namespace, "", namespace);
      if (!found) return undefined;
      let policy = policies.get(found);
      if (!policy) {
        policy = policyOf(found.metadata.labels).policy;
        policies.set(found, policy);
      }
      return policy;
    }

    return {
      validate(request) {
        const { resource, object } = request;
        if (resource.plural === "namespaces") return checkLabels(request);
        const policy = policyFor(request.namespace);
        if (!policy || !object) return;
        if (resource.plural === "pods") {
          const { spec } = object as Template;
          if (spec && !isInsignificant(request, spec)) checkPod(request, spec, object.metadata, policy);
          return;
        }
        const template = templateOf(object);
        if (template?.spec) tell(request, template.spec, template.metadata ?? {}, policy);
      },
    };
  },
});

/** Only labels that are new or changed are held against a namespace. */
function checkLabels({ object, old, name }: AdmissionRequest): void {
  const { errors } = policyOf(object?.metadata.labels);
  if (errors.length === 0) return;
  const before = old ? policyOf(old.metadata.labels).errors.map(({ field, body }) => field + body) : [];
  const fresh = errors.filter(({ field, body }) => !before.includes(field + body));
  if (fresh.length > 0) throw invalid({ group: "", kind: "Namespace" }, name, fresh);
}

function checkPod(request: AdmissionRequest, spec: PodSpec, metadata: PodMeta, policy: Policy): void {
  if (policy.enforce.level !== "privileged") {
    request.annotate("pod-security.kubernetes.io/enforce-policy", label(policy.enforce));
    const found = violations(spec, metadata, policy.enforce);
    if (found !== undefined) {
      tellAudit(request, spec, metadata, policy.audit);
      throw refused(request, `violates PodSecurity ${printed(policy.enforce)}: ${found}`);
    }
  }
  tell(request, spec, metadata, policy);
}

function label({ level, version }: Level): string {
  return `${level}:${version}`;
}

function tell(request: AdmissionRequest, spec: PodSpec, metadata: PodMeta, policy: Policy): void {
  tellAudit(request, spec, metadata, policy.audit);
  const found = violations(spec, metadata, policy.warn);
  if (found !== undefined) request.warn(`would violate PodSecurity ${printed(policy.warn)}: ${found}`);
}

function tellAudit(request: AdmissionRequest, spec: PodSpec, metadata: PodMeta, level: Level): void {
  const found = violations(spec, metadata, level);
  if (found === undefined) return;
  const text = `would violate PodSecurity ${printed(level)}: ${found}`;
  request.annotate("pod-security.kubernetes.io/audit-violations", text);
}

/** An update of a pod matters where it brings other images or containers, or profiles by annotation. */
function isInsignificant({ old, object }: AdmissionRequest, spec: PodSpec): boolean {
  const before = (old as Template | undefined)?.spec;
  if (!before) return false;
  const lists = ["initContainers", "containers", "ephemeralContainers"] as const;
  const same = lists.every((name) => {
    const now = spec[name] ?? [];
    const was = before[name] ?? [];
    return now.length === was.length && now.every((container, i) => container.image === was[i]!.image);
  });
  return same && profiles(object) === profiles(old);
}

function profiles(object: KubeObject | undefined): string {
  return Object.entries(object?.metadata.annotations ?? {})
    .filter(([key]) => key.startsWith("container.apparmor.") || key.includes("seccomp.security."))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .join();
}

function templateOf(object: KubeObject): Template | undefined {
  const { spec, template } = object as {
    spec?: { template?: Template; jobTemplate?: { spec?: { template?: Template } } };
    template?: Template;
  };
  return template ?? spec?.template ?? spec?.jobTemplate?.spec?.template;
}
