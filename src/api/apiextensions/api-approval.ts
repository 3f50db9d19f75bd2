/** Groups under k8s.io and kubernetes.io are for those who have Kubernetes' approval, which an annotation claims. */
import { type FieldError, invalidValue, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import type { CustomResourceDefinition } from "../schema/apiextensions.v1.generated.ts";

const ANNOTATION = "api-approved.kubernetes.io";
const PROTECTED = ["k8s.io", "kubernetes.io"];
const DEMAND = `protected groups must have approval annotation ${JSON.stringify(ANNOTATION)}`;
const SEE = "see https://github.com/kubernetes/enhancements/pull/1111";

type Approval = "approved" | "bypassed" | "invalid" | "missing";

function approvalOf({ metadata }: CustomResourceDefinition): { approval: Approval; text: string } {
  const text = metadata.annotations?.[ANNOTATION] ?? "";
  if (text === "") return { approval: "missing", text };
  if (text.startsWith("unapproved")) return { approval: "bypassed", text };
  return { approval: /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#\s]+/.test(text) ? "approved" : "invalid", text };
}

/** `old` is absent on create; what is wrong and was so before is let pass. */
export function validateApiApproval(
  now: CustomResourceDefinition,
  old?: CustomResourceDefinition,
): FieldError[] {
  const group = now.spec.group ?? "";
  if (!PROTECTED.some((suffix) => group === suffix || group.endsWith(`.${suffix}`))) return [];
  const { approval, text } = approvalOf(now);
  if (old && approvalOf(old).approval === approval) return [];
  const path = FieldPath.root("metadata", "annotations").key(ANNOTATION);
  if (approval === "missing") return [required(path, `${DEMAND}, ${SEE}`)];
  if (approval !== "invalid") return [];
  return [
    invalidValue(path, text, `${DEMAND} with either a URL or a reason starting with "unapproved", ${SEE}`),
  ];
}
