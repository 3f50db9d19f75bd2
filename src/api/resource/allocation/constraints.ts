/** What must hold between the devices of one claim. */
import type { DeviceAttribute, DeviceConstraint } from "../../schema/resource.v1.generated.ts";
import type { PoolDevice } from "./pools.ts";
import { AllocationError, type Alternative } from "./requests.ts";

export interface Constraint {
  /** Whether the device may join those that were added; it is one of them then. */
  add(alternative: Alternative, device: PoolDevice): boolean;
  /** Takes the last one that was added out again. */
  remove(alternative: Alternative): void;
}

export function constraintOf({ requests, matchAttribute, distinctAttribute }: DeviceConstraint): Constraint {
  const attribute = matchAttribute ?? distinctAttribute;
  if (attribute === undefined) throw new AllocationError("empty constraint (unsupported constraint type?)");
  const values: string[] = [];
  const applies = ({ name, request }: Alternative): boolean =>
    !requests || requests.length === 0 || requests.includes(request) || requests.includes(name);
  return {
    add(alternative, device) {
      if (!applies(alternative)) return true;
      const value = attributeOf(device, attribute);
      if (value === undefined) return false;
      const text = JSON.stringify(value);
      const fits = matchAttribute ? values.every((other) => other === text) : !values.includes(text);
      if (fits) values.push(text);
      return fits;
    },
    remove(alternative) {
      if (applies(alternative)) values.pop();
    },
  };
}

/** By its name with the domain; in a device the driver's own domain may be left out. */
export function attributeOf({ device, slice }: PoolDevice, name: string): DeviceAttribute | undefined {
  const attributes = device.attributes ?? {};
  if (Object.hasOwn(attributes, name)) return attributes[name];
  const slash = name.indexOf("/");
  if (slash < 0 || name.slice(0, slash) !== slice.spec.driver) return undefined;
  const own = name.slice(slash + 1);
  return Object.hasOwn(attributes, own) ? attributes[own] : undefined;
}
