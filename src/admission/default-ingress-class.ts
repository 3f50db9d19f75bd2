import { IngressClass } from "../api/networking/ingress-class.ts";
import { defineAdmission } from "./plugin.ts";

const DEFAULT = "ingressclass.kubernetes.io/is-default-class";
const LEGACY = "kubernetes.io/ingress.class";

/** Gives an ingress that names no class the default one; of several, the newest. */
export const defaultIngressClass = defineAdmission({
  name: "DefaultIngressClass",
  summary: "Sets the class of ingresses that name none.",
  on: [["ingresses.networking.k8s.io", ["CREATE"]]],
  start: ({ reader }) => ({
    mutate({ object }) {
      const ingress = object as { spec?: { ingressClassName?: string } };
      if (ingress.spec?.ingressClassName !== undefined) return;
      if (object?.metadata.annotations?.[LEGACY] !== undefined) return;
      const classes = [...reader.list(IngressClass)].filter(
        ({ metadata }) => metadata.annotations?.[DEFAULT] === "true",
      );
      const [chosen] = classes.sort((a, b) => newestFirst(a.metadata, b.metadata));
      if (chosen) ingress.spec = { ...ingress.spec, ingressClassName: chosen.metadata.name };
    },
  }),
});

interface Meta {
  name?: string;
  creationTimestamp?: string;
}

function newestFirst(a: Meta, b: Meta): number {
  const { creationTimestamp: left = "" } = a;
  const { creationTimestamp: right = "" } = b;
  if (left !== right) return left < right ? 1 : -1;
  return (a.name ?? "") < (b.name ?? "") ? -1 : 1;
}
