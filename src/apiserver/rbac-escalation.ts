/**
 * Nobody hands out more than they have: the escalation check of roles and the bind check of bindings. Upstream asks it
 * in the storage of the four kinds; here it is the last step of admission, which knows the user just as well.
 */
import { type AdmissionRequest, defineAdmission } from "../admission/plugin.ts";
import { checkBinding, checkEscalation } from "../auth/authorization/escalation.ts";
import type { StoredBinding, StoredClusterRole } from "../auth/authorization/rbac.ts";
import type { Auth } from "../auth/open-auth.ts";

const GROUP = "rbac.authorization.k8s.io";

export function rbacEscalation(auth: Auth) {
  return defineAdmission({
    name: "RBACEscalation",
    summary: "Refuses roles and bindings that give more than their writer has",
    on: ["roles", "clusterroles", "rolebindings", "clusterrolebindings"].map(
      (plural) => [`${plural}.${GROUP}`, ["CREATE", "UPDATE"]] as const,
    ),
    start: () => ({
      async validate({ resource, user, object, old }: AdmissionRequest) {
        const refusal = resource.plural.endsWith("bindings")
          ? await checkBinding(user, object as StoredBinding, old as StoredBinding | undefined, auth)
          : await checkEscalation(
              user,
              object as StoredClusterRole,
              old as StoredClusterRole | undefined,
              auth,
            );
        if (refusal) throw refusal;
      },
    }),
  });
}
