import { IPAddress } from "../networking/ip-address.ts";
import { ServiceCIDR } from "../networking/service-cidr.ts";
import type { Ports } from "../ports.ts";
import { type RepairReport, relockAddress, repairServiceAllocations } from "./service/allocate.ts";
import { addressesOf, type ServiceKinds } from "./service/allocations.ts";
import { defineService, type Service as ServiceObject } from "./service/service.ts";

export type Service = ServiceObject;
export const Service = defineService(IPAddress, ServiceCIDR);

const KINDS: ServiceKinds = { services: Service, addresses: IPAddress, ranges: ServiceCIDR };

/** Makes IPAddress objects and Services agree; for the start of a server, before it takes requests. */
export function repairServices(ports: Ports): Promise<RepairReport> {
  return repairServiceAllocations(ports, KINDS);
}

/** From then on, an IPAddress that somebody deletes comes back as long as a Service has the address. */
export function keepServiceAddresses(ports: Ports, failed: (error: unknown) => void): { close(): void } {
  const holders = new Map<string, ServiceObject>();
  const services = ports.reader.observe(Service, (now, was) => {
    for (const ip of addressesOf(was)) holders.delete(ip);
    for (const ip of addressesOf(now)) holders.set(ip, now!);
  });
  const addresses = ports.reader.observe(IPAddress, (now, was) => {
    const ip = was?.metadata.name ?? "";
    const holder = now ? undefined : holders.get(ip);
    if (holder) relockAddress(holder, ip, ports, KINDS).catch(failed);
  });
  return {
    close() {
      services.close();
      addresses.close();
    },
  };
}
