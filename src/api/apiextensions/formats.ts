import type { CustomResourceDefinition } from "../schema/apiextensions.v1.generated.ts";
import { schemasWithin } from "./schema-walk.ts";

/** Compared without hyphens, as upstream does. */
const KNOWN = new Set(
  `bsonobjectid byte cidr creditcard date datetime double duration email float hexcolor hostname int32 int64 ipv4 ipv6
  isbn isbn10 isbn13 k8slongname k8sshortname mac password rgbcolor ssn uri uuid uuid3 uuid4 uuid5`.split(
    /\s+/,
  ),
);

/** The formats in the schemas that nothing checks. */
export function unrecognizedFormats({ spec }: CustomResourceDefinition): string[] {
  const formats = new Set<string>();
  for (const { schema } of spec.versions ?? []) {
    for (const { format } of schemasWithin(schema?.openAPIV3Schema)) {
      if (format && !KNOWN.has(format.replaceAll("-", ""))) formats.add(format);
    }
  }
  return [...formats];
}
