import type { Facts } from "../facts.ts";

/** Long gone, but still among the group versions of DeleteOptions. */
export const apiregistrationV1beta1: Facts = {
  id: "apiregistration.v1beta1",
  group: "apiregistration.k8s.io",
  unserved: true,
  messages: "",
};
