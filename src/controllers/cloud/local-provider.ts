/**
 * The cloud of a cluster that has none: LoadBalancer Services get addresses of ranges that the operator set aside. What
 * is given out stands in the status of the Services, so it is known again after a restart.
 */
import type { Service } from "../../api/core/services.ts";
import type { CloudProvider, LoadBalancers } from "../runtime/cloud-provider.ts";
import type { ControllerSettings } from "../runtime/controller.ts";
import { AddressPool, type Family } from "./address-pool.ts";

/** Has no parts: every loop of the cloud rests. */
export const noCloud: CloudProvider = { name: "none" };

export function cloudOf({ cloud, loadBalancerRanges }: ControllerSettings): CloudProvider {
  return cloud ?? (loadBalancerRanges.length > 0 ? localCloud(loadBalancerRanges) : noCloud);
}

/** Throws where a text is no range. */
export function localCloud(ranges: readonly string[]): CloudProvider {
  return { name: "local", loadBalancers: localLoadBalancers(new AddressPool(ranges)) };
}

function localLoadBalancers(pool: AddressPool): LoadBalancers {
  /** Addresses by the uid of their Service, and uids by key. */
  const given = new Map<string, Set<string>>();
  const uids = new Map<string, string>();

  const hold = (uid: string, address: string): boolean => {
    if (!pool.hold(address, uid)) return false;
    remember(uid, address);
    return true;
  };
  const remember = (uid: string, address: string): void => {
    const addresses = given.get(uid);
    if (addresses) addresses.add(address);
    else given.set(uid, new Set([address]));
  };
  const release = (uid: string): void => {
    for (const address of given.get(uid) ?? []) pool.release(address);
    given.delete(uid);
  };

  return {
    observe(key, service) {
      const before = uids.get(key);
      if (before !== undefined && before !== service?.metadata.uid) {
        release(before);
        uids.delete(key);
      }
      if (!service) return;
      const { uid = "" } = service.metadata;
      uids.set(key, uid);
      for (const address of shownAddresses(service)) hold(uid, address);
    },
    async ensure(service) {
      const { uid = "" } = service.metadata;
      const addresses: string[] = [];
      for (const family of familiesOf(service)) {
        const address = addressFor(service, family);
        if (address !== undefined) addresses.push(address);
      }
      if (addresses.length === 0)
        throw new Error("no load balancer address of the service's IP families is free");
      for (const old of given.get(uid) ?? []) if (!addresses.includes(old)) pool.release(old);
      given.set(uid, new Set(addresses));
      return { ingress: addresses.map((ip) => ({ ip, ipMode: "VIP" })) };
    },
    async remove({ metadata }) {
      release(metadata.uid ?? "");
    },
  };

  function addressFor(service: Service, family: Family): string | undefined {
    const { uid = "" } = service.metadata;
    const asked = service.spec.loadBalancerIP ?? "";
    if (asked !== "" && familyOf(asked) === family) {
      if (hold(uid, asked)) return asked;
      throw new Error(
        pool.contains(asked)
          ? `the load balancer IP ${asked} is already allocated`
          : `the load balancer IP ${asked} is not in the ranges for load balancers`,
      );
    }
    const own = [...shownAddresses(service), ...(given.get(uid) ?? [])];
    const kept = own.find((address) => familyOf(address) === family && hold(uid, address));
    if (kept !== undefined) return kept;
    const taken = pool.take(family, uid);
    if (taken !== undefined) remember(uid, taken);
    return taken;
  }
}

function familyOf(address: string): Family {
  return address.includes(":") ? 6 : 4;
}

function familiesOf({ spec }: Service): Family[] {
  return (spec.ipFamilies ?? ["IPv4"]).map((family) => (family === "IPv6" ? 6 : 4));
}

function shownAddresses({ status }: Service): string[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
}
