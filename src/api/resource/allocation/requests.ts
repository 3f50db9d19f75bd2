/** What a claim asks for, one form for all sorts of requests. */
import type {
  DeviceClass,
  DeviceRequest,
  DeviceSubRequest,
  DeviceTaint,
  DeviceToleration,
  ExactDeviceRequest,
} from "../../schema/resource.v1.generated.ts";
import type { PoolDevice } from "./pools.ts";

/** One way to satisfy a request; those of `firstAvailable` are several, in the order of preference. */
export interface Alternative {
  /** `request`, or `request/subrequest`. */
  name: string;
  /** Of the request alone. */
  request: string;
  deviceClass: DeviceClass;
  /** Undefined: all that there are. */
  count: number | undefined;
  adminAccess: boolean;
  tolerations: readonly DeviceToleration[];
  /** CEL expressions of the class and of the request; a device must satisfy each. */
  expressions: readonly string[];
}

/** A claim that no node can satisfy as things are; the message says why. */
export class AllocationError extends Error {}

export function alternativesOf(
  request: DeviceRequest,
  classNamed: (name: string) => DeviceClass | undefined,
): Alternative[] {
  const { name, exactly, firstAvailable = [] } = request;
  if (exactly) return [alternativeOf(name, name, exactly, classNamed)];
  if (firstAvailable.length === 0) throw new AllocationError(`request ${name}: unknown request type`);
  return firstAvailable.map((one) => alternativeOf(name, `${name}/${one.name}`, one, classNamed));
}

function alternativeOf(
  request: string,
  name: string,
  wanted: ExactDeviceRequest | DeviceSubRequest,
  classNamed: (name: string) => DeviceClass | undefined,
): Alternative {
  const { deviceClassName, allocationMode = "ExactCount", count = 1 } = wanted;
  const deviceClass = classNamed(deviceClassName);
  if (!deviceClass)
    throw new AllocationError(`request ${name}: could not retrieve device class ${deviceClassName}`);
  if (allocationMode !== "ExactCount" && allocationMode !== "All") {
    throw new AllocationError(`request ${name}: unsupported count mode ${allocationMode}`);
  }
  const selectors = [...(deviceClass.spec.selectors ?? []), ...(wanted.selectors ?? [])];
  return {
    name,
    request,
    deviceClass,
    count: allocationMode === "All" ? undefined : count,
    adminAccess: "adminAccess" in wanted && wanted.adminAccess === true,
    tolerations: wanted.tolerations ?? [],
    expressions: selectors.map(({ cel }) => {
      if (!cel) throw new AllocationError(`request ${name}: empty selector`);
      return cel.expression;
    }),
  };
}

/** Whether the device has no taint that keeps the request away. */
export function toleratesTaints({ tolerations }: Alternative, { device }: PoolDevice): boolean {
  return (device.taints ?? []).every(
    (taint) =>
      (taint.effect !== "NoSchedule" && taint.effect !== "NoExecute") ||
      tolerations.some((toleration) => tolerates(toleration, taint)),
  );
}

function tolerates(
  { key, operator = "Equal", value, effect }: DeviceToleration,
  taint: DeviceTaint,
): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === "Exists" || (operator === "Equal" && (value ?? "") === (taint.value ?? ""));
}
