/** Access to devices that are in use is for namespaces that an administrator has marked. */
import { type FieldError, forbiddenField } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { Namespace } from "../core/namespace.ts";
import type { RequestContext } from "../resource.ts";
import type { DeviceRequest, DeviceRequestAllocationResult } from "../schema/resource.v1.generated.ts";

const LABEL = "resource.kubernetes.io/admin-access";

/** Of a new claim or template. */
export function validateAdminRequests(
  requests: readonly DeviceRequest[] | undefined,
  namespace: string,
  context: RequestContext,
): FieldError[] {
  const at = requests?.findIndex(({ exactly }) => exactly?.adminAccess === true) ?? -1;
  if (at < 0) return [];
  return demandLabel(FieldPath.root("spec", "devices", "requests").index(at), namespace, context);
}

/** Of a new allocation; one that had the access keeps it. */
export function validateAdminResults(
  results: readonly DeviceRequestAllocationResult[] | undefined,
  old: readonly DeviceRequestAllocationResult[] | undefined,
  namespace: string,
  context: RequestContext,
): FieldError[] {
  const at = results?.findIndex(({ adminAccess }) => adminAccess === true) ?? -1;
  if (at < 0 || old?.some(({ adminAccess }) => adminAccess === true)) return [];
  const path = FieldPath.root("status", "allocation", "devices", "results").index(at);
  return demandLabel(path, namespace, context);
}

function demandLabel(path: FieldPath, namespace: string, { ports }: RequestContext): FieldError[] {
  const labels = ports.reader.get(Namespace, "", namespace)?.metadata.labels;
  if (labels && Object.hasOwn(labels, LABEL) && labels[LABEL] === "true") return [];
  const why = `admin access to devices requires the \`${LABEL}: true\` label on the containing namespace`;
  return [forbiddenField(path.child("adminAccess"), why)];
}
