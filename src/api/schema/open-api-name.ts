/** Between the ids of definitions and the names that OpenAPI documents use for them. */

const PREFIXES: ReadonlyMap<string, string> = new Map([
  ["meta", "io.k8s.apimachinery.pkg.apis."],
  ["version", "io.k8s.apimachinery.pkg."],
  ["apiextensions", "io.k8s.apiextensions-apiserver.pkg.apis."],
  ["apiregistration", "io.k8s.kube-aggregator.pkg.apis."],
  ["metrics", "io.k8s.metrics.pkg.apis."],
]);

/** The definitions of OpenAPI that are leaves here, by scalar or by the `wire` of a field. */
const LEAVES: ReadonlyMap<string, string> = new Map([
  ["Time", "io.k8s.apimachinery.pkg.apis.meta.v1.Time"],
  ["MicroTime", "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime"],
  ["Duration", "io.k8s.apimachinery.pkg.apis.meta.v1.Duration"],
  ["Quantity", "io.k8s.apimachinery.pkg.api.resource.Quantity"],
  ["IntOrString", "io.k8s.apimachinery.pkg.util.intstr.IntOrString"],
  ["RawExtension", "io.k8s.apimachinery.pkg.runtime.RawExtension"],
  ["FieldsV1", "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1"],
  ["JSON", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON"],
  [
    "JSONSchemaPropsOrArray",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray",
  ],
  ["JSONSchemaPropsOrBool", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool"],
  [
    "JSONSchemaPropsOrStringArray",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray",
  ],
]);

/** `core.v1.PodSpec` is `io.k8s.api.core.v1.PodSpec`. */
export function openApiNameOf(id: string): string {
  return (PREFIXES.get(id.slice(0, id.indexOf("."))) ?? "io.k8s.api.") + id;
}

/** The opposite of openApiNameOf; undefined for names of other servers' types and of leaves. */
export function idOfOpenApiName(name: string): string | undefined {
  for (const prefix of PREFIXES.values()) {
    const id = name.slice(prefix.length);
    if (name.startsWith(prefix) && openApiNameOf(id) === name) return isLeafName(name) ? undefined : id;
  }
  return name.startsWith("io.k8s.api.") ? name.slice("io.k8s.api.".length) : undefined;
}

function isLeafName(name: string): boolean {
  for (const leaf of LEAVES.values()) if (leaf === name) return true;
  return false;
}

/**
 * The OpenAPI definition that a leaf refers to, by its `wire` where it has one and its scalar otherwise; undefined
 * where OpenAPI has the leaf in place (strings, numbers, ExtraValue …).
 */
export function openApiNameOfLeaf(wireOrScalar: string): string | undefined {
  return LEAVES.get(wireOrScalar);
}

/** The leaves that OpenAPI lists as definitions. */
export function leafNames(): IterableIterator<[wireOrScalar: string, name: string]> {
  return LEAVES.entries();
}
