/** The quality of service class, which the kubelet evicts by. */
import type { Container, PodSpec } from "../../schema/core.v1.generated.ts";
import { compareQuantities, isZero } from "./quantities.ts";

export type QOSClass = "Guaranteed" | "Burstable" | "BestEffort";

/** Guaranteed: every container's cpu and memory are limited and reserved alike. BestEffort: nothing is said at all. */
export function qosClassOf(spec: PodSpec): QOSClass {
  if (spec.resources?.limits || spec.resources?.requests) {
    return classOf([spec.resources]);
  }
  const all: (Container["resources"] | undefined)[] = [];
  for (const { resources } of spec.containers) all.push(resources);
  if (spec.initContainers) for (const { resources } of spec.initContainers) all.push(resources);
  return classOf(all);
}

function classOf(all: readonly (Container["resources"] | undefined)[]): QOSClass {
  let anything = false;
  let guaranteed = true;
  for (const resources of all) {
    const limits = resources?.limits;
    const requests = resources?.requests;
    for (const name of ["cpu", "memory"]) {
      const limit = amount(limits, name);
      const request = amount(requests, name);
      if (limit !== undefined || request !== undefined) anything = true;
      if (limit === undefined) guaranteed = false;
      else if (request !== undefined && request !== limit && compareQuantities(request, limit) !== 0) {
        guaranteed = false;
      }
    }
  }
  if (!anything) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

function amount(list: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  const value = list?.[name];
  return value === undefined || isZero(value) ? undefined : value;
}
