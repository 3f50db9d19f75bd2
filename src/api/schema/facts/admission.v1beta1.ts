import type { Facts } from "../facts.ts";

export const admissionV1beta1: Facts = {
  id: "admission.v1beta1",
  group: "admission.k8s.io",
  unserved: true,
  messages: `
  AdmissionRequest = admission.v1
  AdmissionResponse = admission.v1
  AdmissionReview@ = admission.v1
  `,
};
