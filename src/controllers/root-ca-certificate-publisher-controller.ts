/** Publishes the CA of the API server to every namespace, where service account volumes take it from. */
import { ConfigMap } from "../api/core/config-map.ts";
import { Namespace } from "../api/core/namespace.ts";
import { isNamespaceTerminating, isReason } from "../client/status.ts";
import { defineController, input } from "./runtime/controller.ts";

const NAME = "kube-root-ca.crt";
const DESCRIPTION =
  "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";

export const rootCACertificatePublisher = defineController<{ namespaces: Namespace; maps: ConfigMap }>({
  name: "root-ca-certificate-publisher-controller",
  account: "root-ca-cert-publisher",
  queue: "root_ca_cert_publisher",
  workers: 5,
  inputs: {
    namespaces: input(Namespace, ({ now }) => (now ? [now.metadata.name!] : [])),
    maps: input(ConfigMap, ({ now, was }) => [(now ?? was)!.metadata.namespace!], {
      fieldSelector: `metadata.name=${NAME}`,
    }),
  },
  start: ({ client, settings }, { namespaces, maps }) => {
    const data = { "ca.crt": settings.rootCA };
    const annotations = { "kubernetes.io/description": DESCRIPTION };
    return async (name) => {
      if (namespaces.get("", name)?.status?.phase !== "Active") return undefined;
      const found = maps.get(name, NAME);
      if (found && isRight(found, data["ca.crt"])) return undefined;
      const metadata = found?.metadata ?? { namespace: name, name: NAME };
      const object = {
        ...found,
        metadata: { ...metadata, annotations: { ...annotations, ...metadata.annotations } },
        data,
      };
      try {
        const inNamespace = client.resource(ConfigMap, name);
        await (found ? inNamespace.update(object) : inNamespace.create(object));
      } catch (error) {
        // Another was faster, or the namespace went meanwhile.
        if (!isReason(error, "AlreadyExists", "NotFound") && !isNamespaceTerminating(error)) throw error;
      }
      return undefined;
    };
  },
});

function isRight({ data = {}, metadata }: ConfigMap, ca: string): boolean {
  const described = (metadata.annotations?.["kubernetes.io/description"] ?? "") !== "";
  return described && Object.keys(data).length === 1 && data["ca.crt"] === ca;
}
