import type { OwnerReference } from "../api/object.ts";
import { deepEqual } from "../machinery/json/equal.ts";
import { defineAdmission } from "./plugin.ts";
import { refused } from "./refusal.ts";

/** Who could not delete an object may not give it an owner with which it would go. */
export const ownerReferencesPermissionEnforcement = defineAdmission({
  name: "OwnerReferencesPermissionEnforcement",
  summary: "Asks for the right to delete of those who change owner references.",
  on: [["*", ["CREATE", "UPDATE"]]],
  start: ({ authorizer }) => ({
    validate(request) {
      const now = request.object?.metadata.ownerReferences ?? [];
      const was = request.old?.metadata.ownerReferences ?? [];
      if (!adds(now, was)) return;
      const { resource, user, namespace, name } = request;
      const answer = authorizer.authorize({
        user,
        verb: "delete",
        namespace,
        group: resource.group,
        version: resource.version,
        resource: resource.plural,
        subresource: "",
        name,
        path: "",
        isResource: true,
      });
      return Promise.resolve(answer).then(({ decision }) => {
        if (decision === "allow") return;
        throw refused(request, "cannot set an ownerRef on a resource you can't delete");
      });
    },
  }),
});

function adds(now: readonly OwnerReference[], was: readonly OwnerReference[]): boolean {
  return now.some((owner) => !was.some((other) => deepEqual(owner, other)));
}
