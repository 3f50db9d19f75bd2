/** Containers, init containers with sidecars, and ephemeral containers. */
import {
  duplicate,
  forbiddenField,
  invalidValue,
  notFoundValue,
  notSupported,
  required,
  tooLong,
} from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import { isDNS1123Label, isValidPortName, isValidPortNum } from "../../../machinery/names/names.ts";
import type {
  Container,
  ContainerPort,
  ContainerRestartRule,
  EphemeralContainer,
  PodSpec,
} from "../../schema/core.v1.generated.ts";
import { eachInvalid, isSet, needsOneOf, type Rules } from "./checks.ts";
import { validateEnv, validateEnvFrom } from "./validate-env.ts";
import { type VolumeIndex, validateVolumeDevices, validateVolumeMounts } from "./validate-mounts.ts";
import { validateLifecycle, validateProbes } from "./validate-probes.ts";
import { validateContainerResources } from "./validate-resources.ts";
import { validateSecurityContext } from "./validate-security.ts";

const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const PULL_POLICIES = ["Always", "IfNotPresent", "Never"];
const MESSAGE_POLICIES = ["File", "FallbackToLogsOnError"];
const CONTAINER_RESTART_POLICIES = ["Always", "Never", "OnFailure"];

/** What the rules of a container need to know of the pod around it. */
export interface ContainerSurroundings {
  spec: PodSpec;
  volumes: VolumeIndex;
  claims: ReadonlySet<string>;
  hostUsers: boolean;
}

export function validateContainers(around: ContainerSurroundings, at: FieldPath, rules: Rules): void {
  const { errors } = rules;
  const { containers } = around.spec;
  if (!containers || containers.length === 0) {
    errors.push(required(at));
    return;
  }
  const taken = new Set<string>();
  for (let i = 0; i < containers.length; i++) {
    const container = containers[i] as Container;
    const path = at.index(i);
    validateContainer(container, around, path, rules);
    if (containers.length > 1 && isTaken(taken, container.name)) {
      errors.push(duplicate(path.child("name"), container.name));
    }
    if (container.lifecycle) {
      validateLifecycle(container.lifecycle, around.spec.terminationGracePeriodSeconds, path, rules);
    }
    validateProbes(container, path, rules);
    validateRestartRules(container, path, rules);
  }
  validateHostPorts(containers, at, rules);
}

export function validateInitContainers(around: ContainerSurroundings, at: FieldPath, rules: Rules): void {
  const { errors } = rules;
  const { containers, initContainers } = around.spec;
  if (!initContainers) return;
  const names = new Set(containers?.map(({ name }) => name));
  for (let i = 0; i < initContainers.length; i++) {
    const container = initContainers[i] as Container;
    const path = at.index(i);
    validateContainer(container, around, path, rules);
    validateRestartRules(container, path, rules);
    if (isTaken(names, container.name)) errors.push(duplicate(path.child("name"), container.name));
    // Init containers run one by one, so each has the host's ports to itself.
    if (container.ports) validateHostPorts([container], at, rules);
    if (container.restartPolicy === "Always") {
      if (container.lifecycle) {
        validateLifecycle(container.lifecycle, around.spec.terminationGracePeriodSeconds, path, rules);
      }
      validateProbes(container, path, rules);
    } else {
      for (const name of ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const) {
        if (!container[name]) continue;
        const why = "may not be set for init containers without restartPolicy=Always";
        errors.push(forbiddenField(path.child(name), why));
      }
    }
  }
}

/** Fields an ephemeral container may set; all others make it part of the workload, which it is not. */
const EPHEMERAL_FIELDS = new Set([
  "name",
  "image",
  "command",
  "args",
  "workingDir",
  "envFrom",
  "env",
  "volumeMounts",
  "volumeDevices",
  "terminationMessagePath",
  "terminationMessagePolicy",
  "imagePullPolicy",
  "securityContext",
  "stdin",
  "stdinOnce",
  "tty",
  "targetContainerName",
]);

export function validateEphemeralContainers(
  around: ContainerSurroundings,
  at: FieldPath,
  rules: Rules,
): void {
  const { errors } = rules;
  const { containers, ephemeralContainers } = around.spec;
  if (!ephemeralContainers || ephemeralContainers.length === 0) return;
  const others = new Set<string>();
  for (const { name } of containers) others.add(name);
  for (const { name } of around.spec.initContainers ?? []) others.add(name);
  const names = new Set(others);
  ephemeralContainers.forEach((container, i) => {
    const path = at.index(i);
    validateContainer(container, around, path, rules);
    validateImageSpace(container, at.parent ?? at, rules, "ephemeralContainers", i);
    if (names.has(container.name)) errors.push(duplicate(path.child("name"), container.name));
    else names.add(container.name);
    const target = container.targetContainerName;
    if (target && !others.has(target)) errors.push(notFoundValue(path.child("targetContainerName"), target));
    validateEphemeralFields(container, path, rules);
  });
}

function validateEphemeralFields(container: EphemeralContainer, at: FieldPath, { errors }: Rules): void {
  const why = "cannot be set for an Ephemeral Container";
  for (const name of Object.keys(container)) {
    if (EPHEMERAL_FIELDS.has(name)) continue;
    const value = container[name as keyof EphemeralContainer];
    // An empty `resources` is what defaulting leaves.
    if (name === "resources" && Object.keys(value as object).length === 0) continue;
    if (isSet(value)) errors.push(forbiddenField(at.child(name), why));
  }
  container.volumeMounts?.forEach((mount, i) => {
    const path = at.child("volumeMounts").index(i);
    if (mount.subPath) errors.push(forbiddenField(path.child("subPath"), why));
    if (mount.subPathExpr) errors.push(forbiddenField(path.child("subPathExpr"), why));
  });
}

/** What only a pod's containers must fulfil: templates have long been let through. */
export function validateImageSpace(
  container: Container | EphemeralContainer,
  spec: FieldPath,
  { errors }: Rules,
  list: string,
  i: number,
): void {
  const image = container.image;
  if (image && image.trim().length !== image.length) {
    const path = spec.child(list).index(i).child("image");
    errors.push(invalidValue(path, image, "must not have leading or trailing whitespace"));
  }
}

function validateContainer(
  container: Container | EphemeralContainer,
  around: ContainerSurroundings,
  at: FieldPath,
  rules: Rules,
): void {
  const { errors } = rules;
  if (!container.name) errors.push(required(at.child("name")));
  else {
    const messages = isDNS1123Label(container.name);
    if (messages.length > 0) eachInvalid(errors, messages, at.child("name"), container.name);
  }
  if (!container.image) errors.push(required(at.child("image")));
  needsOneOf(errors, container.terminationMessagePolicy, MESSAGE_POLICIES, at, "terminationMessagePolicy");
  if (container.ports) validatePorts(container.ports, at.child("ports"), rules);
  if (container.env) validateEnv(container.env, around.volumes, at.child("env"), rules);
  if (container.envFrom) validateEnvFrom(container.envFrom, at.child("envFrom"), rules);
  if (container.volumeMounts)
    validateVolumeMounts(container, around.volumes, at.child("volumeMounts"), rules);
  if (container.volumeDevices) {
    validateVolumeDevices(container, around.volumes, at.child("volumeDevices"), rules);
  }
  needsOneOf(errors, container.imagePullPolicy, PULL_POLICIES, at, "imagePullPolicy");
  if (container.resources) {
    validateContainerResources(container.resources, around.claims, at.child("resources"), rules);
  }
  if (container.resizePolicy) validateResizePolicy(container, around.spec, at.child("resizePolicy"), rules);
  if (container.securityContext) {
    validateSecurityContext(container.securityContext, around.hostUsers, at.child("securityContext"), rules);
  }
}

/** Whether the name was there already; it is from now on. No name is never taken. */
function isTaken(names: Set<string>, name: string): boolean {
  if (!name) return false;
  if (names.has(name)) return true;
  names.add(name);
  return false;
}

function validatePorts(ports: readonly ContainerPort[], at: FieldPath, { errors }: Rules): void {
  const taken = new Set<string>();
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i] as ContainerPort;
    if (port.name) {
      const messages = isValidPortName(port.name);
      if (messages.length > 0) eachInvalid(errors, messages, at.index(i).child("name"), port.name);
      else if (isTaken(taken, port.name)) {
        errors.push(duplicate(at.index(i).child("name"), port.name));
      }
    }
    if (!port.containerPort) errors.push(required(at.index(i).child("containerPort")));
    else if (port.containerPort < 1 || port.containerPort > 65535) {
      const path = at.index(i).child("containerPort");
      eachInvalid(errors, isValidPortNum(port.containerPort), path, port.containerPort);
    }
    if (port.hostPort && (port.hostPort < 1 || port.hostPort > 65535)) {
      eachInvalid(errors, isValidPortNum(port.hostPort), at.index(i).child("hostPort"), port.hostPort);
    }
    if (port.protocol !== "TCP") needsOneOf(errors, port.protocol, PROTOCOLS, at.index(i), "protocol");
  }
}

/** No two containers that run together may claim the same host port. */
function validateHostPorts(containers: readonly Container[], at: FieldPath, { errors }: Rules): void {
  let seen: Set<string> | undefined;
  for (let c = 0; c < containers.length; c++) {
    const ports = containers[c]?.ports;
    if (!ports) continue;
    for (let p = 0; p < ports.length; p++) {
      const port = ports[p] as ContainerPort;
      if (!port.hostPort) continue;
      const claim = `${port.protocol}/${port.hostIP ?? ""}/${port.hostPort}`;
      seen ??= new Set();
      if (seen.has(claim)) {
        errors.push(duplicate(at.index(c).child("ports").index(p).child("hostPort"), claim));
      } else seen.add(claim);
    }
  }
}

function validateResizePolicy(
  container: Container | EphemeralContainer,
  spec: PodSpec,
  at: FieldPath,
  { errors }: Rules,
): void {
  const seen = new Set<string>();
  container.resizePolicy?.forEach(({ resourceName, restartPolicy }, i) => {
    if (seen.has(resourceName)) errors.push(duplicate(at.index(i), resourceName));
    seen.add(resourceName);
    if (!resourceName) errors.push(required(at));
    else if (resourceName !== "cpu" && resourceName !== "memory") {
      errors.push(notSupported(at, resourceName, ["cpu", "memory"]));
    }
    if (!restartPolicy) errors.push(required(at));
    else if (restartPolicy !== "NotRequired" && restartPolicy !== "RestartContainer") {
      errors.push(notSupported(at, restartPolicy, ["NotRequired", "RestartContainer"]));
    }
    if (spec.restartPolicy === "Never" && restartPolicy !== "NotRequired") {
      const why = "must be 'NotRequired' when `restartPolicy` is 'Never'";
      errors.push(invalidValue(at, restartPolicy, why));
    }
  });
}

const MAX_RESTART_RULES = 20;
const MAX_EXIT_CODES = 255;

/** A container's own restart policy, and the rules that override it by exit code. */
function validateRestartRules(container: Container, at: FieldPath, rules: Rules): void {
  const { errors } = rules;
  const { restartPolicy, restartPolicyRules } = container;
  if (restartPolicy !== undefined && !CONTAINER_RESTART_POLICIES.includes(restartPolicy)) {
    errors.push(notSupported(at.child("restartPolicy"), restartPolicy, CONTAINER_RESTART_POLICIES));
  }
  if (!restartPolicyRules || restartPolicyRules.length === 0) return;
  const path = at.child("restartPolicyRules");
  if (restartPolicy === undefined) {
    errors.push(
      required(at.child("restartPolicy"), "must specify restartPolicy when restart rules are used"),
    );
  }
  if (restartPolicyRules.length > MAX_RESTART_RULES) errors.push(tooLong(path, MAX_RESTART_RULES));
  restartPolicyRules.forEach((rule, i) => {
    validateRestartRule(rule, path.index(i), rules);
  });
}

function validateRestartRule(rule: ContainerRestartRule, at: FieldPath, { errors }: Rules): void {
  needsOneOf(errors, rule.action, ["Restart", "RestartAllContainers"], at, "action");
  if (!rule.exitCodes) {
    errors.push(required(at.child("exitCodes"), "must be specified"));
    return;
  }
  const path = at.child("exitCodes");
  needsOneOf(errors, rule.exitCodes.operator, ["In", "NotIn"], path, "operator");
  if ((rule.exitCodes.values?.length ?? 0) > MAX_EXIT_CODES) {
    errors.push(tooLong(path.child("values"), MAX_EXIT_CODES));
  }
}
