import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import type { Ingress as IngressType } from "../schema/networking.v1.generated.ts";
import { validateIngress, validateIngressStatus } from "./validate-ingress.ts";

export type Ingress = IngressType;

const COLUMN_MAX = 16;

/** Which hosts and paths of HTTP lead to which services. */
export const Ingress = defineResource<Ingress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "Ingress",
  plural: "ingresses",
  scope: "Namespaced",
  shortNames: ["ing"],
  storagePrefix: "ingress",
  definition: "networking.v1.Ingress",
  validateName: nameIsDNSSubdomain,
  prepareForCreate(object) {
    object.status = { loadBalancer: {} };
  },
  prepareForUpdate: (object, old) => take(object, old, "status"),
  validate: validateIngress,
  generationOf: ({ spec }) => spec,
  subresources: {
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare: (object, old) => take(object, old, "spec"),
      validate: validateIngressStatus,
      resets: ["spec"],
    },
  },
  columns: [
    nameColumn,
    { name: "Class", type: "string", cell: ({ spec }) => spec?.ingressClassName ?? "<none>" },
    { name: "Hosts", type: "string", cell: hostsCell },
    { name: "Address", type: "string", cell: addressCell },
    { name: "Ports", type: "string", cell: ({ spec }) => ((spec?.tls ?? []).length > 0 ? "80, 443" : "80") },
    ageColumn,
  ],
});

function hostsCell({ spec }: Ingress): string {
  const hosts: string[] = [];
  for (const { host } of spec?.rules ?? []) {
    if (hosts.length === 3) return `${hosts.join(",")} + ${spec!.rules!.length - 3} more...`;
    if (host) hosts.push(host);
  }
  return hosts.join(",") || "*";
}

function addressCell({ status }: Ingress): string {
  const addresses = new Set<string>();
  for (const { ip, hostname } of status?.loadBalancer?.ingress ?? []) {
    if (ip) addresses.add(ip);
    else if (hostname) addresses.add(hostname);
  }
  const text = [...addresses].sort().join(",");
  return text.length > COLUMN_MAX && addresses.size > 1 ? `${text.slice(0, COLUMN_MAX - 3)}...` : text;
}
