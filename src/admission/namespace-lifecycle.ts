import { Namespace } from "../api/core/namespace.ts";
import { notFound } from "../machinery/status/status-error.ts";
import { type AdmissionRequest, defineAdmission } from "./plugin.ts";
import { refused } from "./refusal.ts";

const IMMORTAL = ["default", "kube-system", "kube-public"];
/** Reviews are made for namespaces that may not exist; nothing is stored of them. */
const REVIEWS = ["localsubjectaccessreviews"];

/** Keeps objects out of namespaces that are not there or are on their way out, and the system's namespaces in being. */
export const namespaceLifecycle = defineAdmission({
  name: "NamespaceLifecycle",
  summary: "Creates nothing in a missing or terminating namespace; keeps the system's namespaces.",
  on: [["**", ["CREATE", "UPDATE", "DELETE"]]],
  start: ({ reader }) => ({
    mutate(request) {
      const { resource, operation, name, namespace } = request;
      if (resource.plural === "namespaces" && resource.group === "") {
        if (operation === "DELETE" && IMMORTAL.includes(name)) {
          throw refused(request, "this namespace may not be deleted");
        }
        return;
      }
      if (namespace === "" || operation === "DELETE" || REVIEWS.includes(resource.plural)) return;
      const found = reader.get(Namespace, "", namespace);
      if (!found) throw notFound({ group: "", resource: "namespaces" }, namespace);
      if (operation === "CREATE" && isTerminating(found)) throw terminating(request);
    },
  }),
});

function isTerminating({ metadata, status }: Namespace): boolean {
  return status?.phase === "Terminating" || metadata.deletionTimestamp !== undefined;
}

function terminating(request: AdmissionRequest) {
  const { namespace } = request;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const error = refused(request, why);
  const cause = {
    reason: "NamespaceTerminating",
    message: `namespace ${namespace} is being terminated`,
    field: "metadata.namespace",
  };
  error.details!.causes = [cause];
  return error;
}
