import type { Facts } from "../facts.ts";

/** Long gone, but still among the group versions of DeleteOptions. */
export const apiextensionsV1beta1: Facts = {
  id: "apiextensions.v1beta1",
  group: "apiextensions.k8s.io",
  unserved: true,
  messages: "",
};
