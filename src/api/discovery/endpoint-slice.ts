import { FieldPath } from "../../machinery/field/path.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { immutableField } from "../core/immutable.ts";
import { defineResource } from "../resource.ts";
import type { EndpointSlice as EndpointSliceType } from "../schema/discovery.v1.generated.ts";
import { validateEndpointSlice } from "./validate-endpoint-slice.ts";

export type EndpointSlice = EndpointSliceType;

const SHOWN = 3;

/** Some of the addresses that a service leads to. */
export const EndpointSlice = defineResource<EndpointSlice>({
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  scope: "Namespaced",
  definition: "discovery.v1.EndpointSlice",
  validateName: nameIsDNSSubdomain,
  defaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= "";
      port.protocol ??= "TCP";
    }
  },
  validate: validateEndpointSlice,
  validateUpdate: (now, old) =>
    immutableField(FieldPath.root("addressType"), now.addressType, old.addressType),
  generationOf: ({ metadata, addressType, endpoints, ports }) => ({
    labels: metadata.labels,
    addressType,
    endpoints,
    ports,
  }),
  columns: [
    nameColumn,
    { name: "AddressType", type: "string", cell: ({ addressType }) => addressType },
    {
      name: "Ports",
      type: "string",
      cell: ({ ports }) => few((ports ?? []).map(({ port, name }) => String(port ?? (name || "*")))),
    },
    {
      name: "Endpoints",
      type: "string",
      cell: ({ endpoints }) => few((endpoints ?? []).flatMap(({ addresses }) => addresses)),
    },
    ageColumn,
  ],
});

function few(texts: readonly string[]): string {
  if (texts.length === 0) return "<unset>";
  const shown = texts.slice(0, SHOWN).join(",");
  return texts.length > SHOWN ? `${shown} + ${texts.length - SHOWN} more...` : shown;
}
