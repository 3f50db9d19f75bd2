/**
 * Says which generation of a policy was looked at (upstream: pkg/controller/validatingadmissionpolicystatus). The
 * expressions' types are not checked: status.typeChecking stays absent, as for a policy without warnings.
 */
import { ValidatingAdmissionPolicy } from "../api/admissionregistration/validating-admission-policy.ts";
import { isReason } from "../client/status.ts";
import { defineController, input } from "./runtime/controller.ts";

export const validatingAdmissionPolicyStatusController = defineController<{
  policies: ValidatingAdmissionPolicy;
}>({
  name: "validatingadmissionpolicy-status-controller",
  account: "validatingadmissionpolicy-status-controller",
  workers: 5,
  inputs: {
    policies: input(ValidatingAdmissionPolicy, ({ key, now }) => (now && !isObserved(now) ? [key] : [])),
  },
  start:
    ({ client }, { policies }) =>
    async (name) => {
      const policy = policies.get("", name);
      if (!policy || isObserved(policy)) return undefined;
      const { generation } = policy.metadata;
      try {
        const status = { ...policy.status, observedGeneration: generation };
        await client.resource(ValidatingAdmissionPolicy).updateStatus({ ...policy, status });
      } catch (error) {
        if (!isReason(error, "NotFound")) throw error;
      }
      return undefined;
    },
});

function isObserved({ metadata, status }: ValidatingAdmissionPolicy): boolean {
  return status?.observedGeneration === metadata.generation;
}
