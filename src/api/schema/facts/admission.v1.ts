import type { Facts } from "../facts.ts";

export const admissionV1: Facts = {
  id: "admission.v1",
  group: "admission.k8s.io",
  messages: `
  AdmissionRequest: 1 uid string, 2 kind meta.v1.GroupVersionKind,
    3 resource meta.v1.GroupVersionResource, 4 subResource string, 5 name string, 6 namespace string,
    7 operation string, 8 userInfo authentication.v1.UserInfo, 9 object RawExtension,
    10 oldObject RawExtension, 11 dryRun boolean, 12 options RawExtension,
    13 requestKind meta.v1.GroupVersionKind, 14 requestResource meta.v1.GroupVersionResource,
    15 requestSubResource string
  AdmissionResponse: 1 uid string, 2 allowed boolean, 3 status meta.v1.Status, 4 patch bytes,
    5 patchType string, 6 auditAnnotations {string}, 7 warnings [string]
  AdmissionReview@: 1 request AdmissionRequest, 2 response AdmissionResponse
  `,
  pointers: `
  AdmissionRequest: dryRun
  AdmissionResponse: patchType
  `,
};
