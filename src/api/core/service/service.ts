import { nameIsDNS1035Label } from "../../../machinery/names/names.ts";
import { formatLabels } from "../../../machinery/selectors/labels.ts";
import type { ClusterSettings } from "../../ports.ts";
import { type Column, defineResource, type Resource } from "../../resource.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { take } from "../take.ts";
import { allocateForService, releaseService } from "./allocate.ts";
import type { AddedRange, AllocatedAddress, ServiceKinds } from "./allocations.ts";
import { prepareServiceForCreate, prepareServiceForUpdate, serviceDefaults } from "./defaults.ts";
import { familyOf, type Service as ServiceObject, type ServicePort } from "./types.ts";
import { validateService, validateServiceUpdate } from "./validate-service.ts";

export type Service = ServiceObject;

/** `addresses` is the IPAddress kind, whose objects lock the addresses of services. */
export function defineService(
  addresses: Resource<AllocatedAddress>,
  ranges: Resource<AddedRange>,
): Resource<ServiceObject> {
  const own = (): ServiceKinds => ({ services, addresses, ranges });
  const services = defineResource<ServiceObject>({
    group: "",
    version: "v1",
    kind: "Service",
    plural: "services",
    scope: "Namespaced",
    shortNames: ["svc"],
    categories: ["all"],
    definition: "core.v1.Service",
    returnsDeletedObject: true,
    storagePrefix: "services/specs",
    allowCreateOnUpdate: true,
    validateName: nameIsDNS1035Label,
    defaults: serviceDefaults,
    prepareForCreate: (service, { ports }) => prepareServiceForCreate(service, families(ports.settings)),
    prepareForUpdate: (service, old, { ports }) =>
      prepareServiceForUpdate(service, old, families(ports.settings)),
    validate: (service, { ports }) => validateService(service, families(ports.settings)),
    validateUpdate: (service, old, { ports }) =>
      validateServiceUpdate(service, old, families(ports.settings)),
    validatesAll: true,
    begin: {
      create: (service, context) => allocateForService(service, undefined, context, own()),
      update: (service, old, context) => allocateForService(service, old, context, own()),
      deleted: (service, { ports }) => releaseService(service, ports, own()),
    },
    subresources: {
      status: {
        acts: "update",
        verbs: ["get", "patch", "update"],
        prepare: (service, old) => take(service, old, "spec"),
        resets: ["spec"],
      },
      proxy: {
        acts: "connect",
        verbs: ["create", "delete", "get", "patch", "update"],
        kind: "ServiceProxyOptions",
        takesPath: true,
      },
    },
    columns: columns(),
    fields: {
      "spec.clusterIP": ({ spec }) => spec.clusterIP ?? "",
      "spec.type": ({ spec }) => spec.type ?? "",
    },
  });
  return services;
}

/** The IP families of the cluster's services, the default first. */
function families({ serviceCIDRs }: ClusterSettings): string[] {
  return serviceCIDRs.map(familyOf);
}

function columns(): Column<Service>[] {
  return [
    nameColumn,
    { name: "Type", type: "string", cell: ({ spec }) => spec.type ?? "" },
    {
      name: "Cluster-IP",
      type: "string",
      cell: ({ spec }) => spec.clusterIPs?.[0] ?? (spec.clusterIP || "<none>"),
    },
    { name: "External-IP", type: "string", cell: externalIP },
    { name: "Port(s)", type: "string", cell: ({ spec }) => portsText(spec.ports) },
    ageColumn,
    { name: "Selector", type: "string", priority: 1, cell: ({ spec }) => formatLabels(spec.selector) },
  ];
}

function externalIP({ spec, status }: Service): string {
  if (spec.type === "ExternalName") return spec.externalName ?? "";
  const own = spec.externalIPs ?? [];
  if (spec.type !== "LoadBalancer") return own.length > 0 ? own.join(",") : "<none>";
  const given = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
  const all = [...new Set(given.filter((text) => text !== ""))].sort().concat(own);
  return all.length > 0 ? all.join(",") : "<pending>";
}

function portsText(ports: ServicePort[] | undefined): string {
  if (!ports?.length) return "<none>";
  return ports
    .map(({ port, nodePort, protocol }) =>
      nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
    )
    .join(",");
}
