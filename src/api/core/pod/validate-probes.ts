/** Probes and lifecycle hooks. */

import {
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import { bigintOf, compareNumbers, isBelow } from "../../../machinery/json/exact-integer.ts";
import { isHTTPHeaderName, isValidPortName, isValidPortNum } from "../../../machinery/names/names.ts";
import type {
  Container,
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  Probe,
  SleepAction,
  TCPSocketAction,
} from "../../schema/core.v1.generated.ts";
import { eachInvalid, nonNegative, type Rules } from "./checks.ts";

interface Handler {
  exec?: ExecAction;
  httpGet?: HTTPGetAction;
  tcpSocket?: TCPSocketAction;
  grpc?: GRPCAction;
  sleep?: SleepAction;
}

export function validateProbes(container: Container, at: FieldPath, rules: Rules): void {
  const { livenessProbe, readinessProbe, startupProbe } = container;
  if (livenessProbe) validateSingleSuccess(livenessProbe, at.child("livenessProbe"), rules);
  if (readinessProbe) {
    const path = at.child("readinessProbe");
    validateProbe(readinessProbe, path, rules);
    const grace = readinessProbe.terminationGracePeriodSeconds;
    if (grace !== undefined) {
      const why = "must not be set for readinessProbes";
      rules.errors.push(invalidValue(path.child("terminationGracePeriodSeconds"), grace, why));
    }
  }
  if (startupProbe) validateSingleSuccess(startupProbe, at.child("startupProbe"), rules);
}

/** A probe whose first success counts. */
function validateSingleSuccess(probe: Probe, at: FieldPath, rules: Rules): void {
  validateProbe(probe, at, rules);
  if (probe.successThreshold !== 1) {
    rules.errors.push(invalidValue(at.child("successThreshold"), probe.successThreshold ?? 0, "must be 1"));
  }
}

function validateProbe(probe: Probe, at: FieldPath, rules: Rules): void {
  const { errors } = rules;
  validateHandler(probe, undefined, at, rules);
  nonNegative(errors, probe.initialDelaySeconds, at, "initialDelaySeconds");
  nonNegative(errors, probe.timeoutSeconds, at, "timeoutSeconds");
  nonNegative(errors, probe.periodSeconds, at, "periodSeconds");
  nonNegative(errors, probe.successThreshold, at, "successThreshold");
  nonNegative(errors, probe.failureThreshold, at, "failureThreshold");
  const grace = probe.terminationGracePeriodSeconds;
  if (grace !== undefined && isBelow(grace, 1)) {
    errors.push(invalidValue(at.child("terminationGracePeriodSeconds"), grace, "must be greater than 0"));
  }
}

export function validateLifecycle(
  lifecycle: Lifecycle,
  gracePeriod: number | undefined,
  at: FieldPath,
  rules: Rules,
): void {
  const path = at.child("lifecycle");
  if (lifecycle.postStart) validateHandler(lifecycle.postStart, gracePeriod, path.child("postStart"), rules);
  if (lifecycle.preStop) validateHandler(lifecycle.preStop, gracePeriod, path.child("preStop"), rules);
}

function validateHandler(
  handler: Handler,
  gracePeriod: number | undefined,
  at: FieldPath,
  rules: Rules,
): void {
  const { errors } = rules;
  let handlers = 0;
  const first = (name: string): boolean => {
    if (handlers++ === 0) return true;
    errors.push(forbiddenField(at.child(name), "may not specify more than 1 handler type"));
    return false;
  };
  if (handler.exec && first("exec") && !(handler.exec.command && handler.exec.command.length > 0)) {
    errors.push(required(at.child("exec", "command")));
  }
  if (handler.httpGet && first("httpGet")) validateHTTPGet(handler.httpGet, at.child("httpGet"), rules);
  if (handler.tcpSocket && first("tcpSocket")) {
    validatePort(handler.tcpSocket.port, at.child("tcpSocket", "port"), rules);
  }
  if (handler.grpc && first("grpc")) validatePort(handler.grpc.port, at.child("grpc", "port"), rules);
  if (handler.sleep && first("sleep") && gracePeriod !== undefined) {
    const { seconds = 0 } = handler.sleep;
    if (isBelow(seconds, 0) || compareNumbers(seconds, gracePeriod) > 0) {
      const why = `must be non-negative and less than terminationGracePeriodSeconds (${bigintOf(gracePeriod)})`;
      errors.push(invalidValue(at.child("sleep"), seconds, why));
    }
  }
  if (handlers === 0) errors.push(required(at, "must specify a handler type"));
}

function validateHTTPGet(get: HTTPGetAction, at: FieldPath, rules: Rules): void {
  const { errors } = rules;
  if (!get.path) errors.push(required(at.child("path")));
  validatePort(get.port, at.child("port"), rules);
  if (get.scheme !== "HTTP" && get.scheme !== "HTTPS") {
    errors.push(notSupported(at.child("scheme"), get.scheme ?? "", ["HTTP", "HTTPS"]));
  }
  if (get.httpHeaders) {
    for (const { name } of get.httpHeaders) {
      eachInvalid(errors, isHTTPHeaderName(name), at.child("httpHeaders"), name);
    }
  }
}

/** A port by number or by the name a container gave it. */
export function validatePort(port: number | string | undefined, at: FieldPath, { errors }: Rules): void {
  if (typeof port === "string") eachInvalid(errors, isValidPortName(port), at, port);
  else if (port === undefined || port < 1 || port > 65535) {
    eachInvalid(errors, isValidPortNum(port ?? 0), at, port ?? 0);
  }
}
