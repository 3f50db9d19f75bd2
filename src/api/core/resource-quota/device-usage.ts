/** How many devices of each class a resource claim may come to take. */
import { bigintOf } from "../../../machinery/json/exact-integer.ts";
import { Quantity } from "../../../machinery/quantity/quantity.ts";
import type { KubeObject } from "../../object.ts";
import type { ResourceClaimSpec } from "../../schema/resource.v1.generated.ts";
import { devicesName } from "./counted-kinds.ts";

export interface ClaimShape extends KubeObject {
  spec?: ResourceClaimSpec;
}

/** What "all devices" can be at most: no claim is allocated more. */
const ALL = 32;

/** Of alternatives, only one of which is taken, the largest of each class counts. */
export function deviceUsage({ spec }: ClaimShape, usage: Map<string, Quantity>): void {
  const totals = new Map<string, number>();
  for (const { exactly, firstAvailable = [] } of spec?.devices?.requests ?? []) {
    const most = new Map<string, number>();
    for (const { deviceClassName, allocationMode, count = 1 } of exactly ? [exactly] : firstAvailable) {
      const asked = allocationMode === "All" ? ALL : Number(bigintOf(count) ?? 0);
      most.set(deviceClassName, Math.max(asked, most.get(deviceClassName) ?? 0));
    }
    for (const [name, count] of most) totals.set(name, count + (totals.get(name) ?? 0));
  }
  for (const [name, count] of totals) usage.set(devicesName(name), Quantity.ofValue(count));
}
