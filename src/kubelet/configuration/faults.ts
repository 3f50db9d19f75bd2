/** What is wrong with values of single fields, in upstream's words; undefined where nothing is. */
import type { Taint } from "../../api/core/node.ts";
import { isQualifiedName, isValidIPForLegacyField, isValidLabelValue } from "../../machinery/names/names.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { milliseconds } from "./milliseconds.ts";

const RESERVABLE = ["cpu", "memory", "ephemeral-storage", "pid"];

export function reservationFault(reserved: Readonly<Record<string, string>>): string | undefined {
  for (const [name, amount] of Object.entries(reserved)) {
    const shown = JSON.stringify(name);
    if (!RESERVABLE.includes(name)) return `cannot reserve ${shown} resource`;
    try {
      if (Quantity.parse(amount).sign() < 0)
        return `resource quantity for ${shown} cannot be negative: ${amount}`;
    } catch (error) {
      const why = (error as Error).message;
      return `failed to parse quantity ${JSON.stringify(amount)} for ${shown} resource: ${why}`;
    }
  }
  return undefined;
}

export function amountFault(text: string): string | undefined {
  try {
    Quantity.parse(text);
    return undefined;
  } catch (error) {
    return `failed to parse container log configuration ${JSON.stringify(text)}: ${(error as Error).message}`;
  }
}

/** What a container's own namespaces hold: other sysctls would be those of the machine. */
const NAMESPACED = ["kernel.shm", "kernel.msg", "fs.mqueue.", "net."];

export function forbiddenSysctlFault(patterns: readonly string[]): string | undefined {
  for (const pattern of patterns) {
    const name = pattern.replaceAll("/", ".");
    const known = name === "kernel.sem" || NAMESPACED.some((prefix) => name.startsWith(prefix));
    if (!known) return `the sysctls ${JSON.stringify(pattern)} are not known to be namespaced`;
  }
  return undefined;
}

export function nameServerFault(servers: readonly string[]): string | undefined {
  const wrong = servers.find((server) => isValidIPForLegacyField(server).length > 0);
  return wrong === undefined ? undefined : `invalid clusterDNS ip ${JSON.stringify(wrong)}`;
}

export function graceFault(name: string, period: string): string | undefined {
  const ms = milliseconds(period);
  return ms < 0 || (ms > 0 && ms < 1000)
    ? `invalid configuration: ${name} ${period} must be either zero or otherwise >= 1 sec`
    : undefined;
}

export interface ShutdownPriority {
  priority?: number;
  shutdownGracePeriodSeconds?: number;
}

export function periodsFault(periods: readonly ShutdownPriority[]): string | undefined {
  const wrong = periods.find(({ shutdownGracePeriodSeconds: seconds = 0 }) => seconds < 0);
  return (
    wrong &&
    `invalid configuration: shutdownGracePeriodByPodPriority ${wrong.shutdownGracePeriodSeconds} must not be a negative number`
  );
}

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

export function taintFault(taints: readonly Taint[]): string | undefined {
  for (const { key = "", value = "", effect = "", timeAdded } of taints) {
    const valid =
      isQualifiedName(key).length === 0 && isValidLabelValue(value).length === 0 && EFFECTS.includes(effect);
    if (!valid) return `invalid taint: {${key} ${value} ${effect} <nil>}`;
    if (timeAdded !== undefined) return "invalid configuration: taint.TimeAdded is not nil";
  }
  return undefined;
}
