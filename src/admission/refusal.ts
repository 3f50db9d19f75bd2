import { forbidden, type StatusError } from "../machinery/status/status-error.ts";
import type { AdmissionRequest } from "./plugin.ts";

/** 403 for the request's object, as upstream's admission.NewForbidden. */
export function refused({ resource, name, object }: AdmissionRequest, why: string): StatusError {
  const { metadata } = object ?? {};
  const shown = name !== "" ? name : (metadata?.name ?? metadata?.generateName ?? "");
  return forbidden(
    { group: resource.group, resource: resource.plural },
    shown === "" ? "Unknown" : shown,
    why,
  );
}
