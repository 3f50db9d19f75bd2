import { IPAddress } from "../networking/ip-address.ts";
import type { Ports } from "../ports.ts";
import { type RepairReport, repairServiceAllocations } from "./service/allocate.ts";
import { defineService, type Service as ServiceObject } from "./service/service.ts";

export type Service = ServiceObject;
export const Service = defineService(IPAddress);

/** Makes IPAddress objects and Services agree; for the start of a server, before it takes requests. */
export function repairServices(ports: Ports): Promise<RepairReport> {
  return repairServiceAllocations(ports, { services: Service, addresses: IPAddress });
}
