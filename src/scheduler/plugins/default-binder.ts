/** Gives the pod its node, by the pod's `binding` subresource. */
import { Pod } from "../../api/core/pods.ts";
import { definePlugin } from "../framework/plugin.ts";

export const defaultBinder = definePlugin({
  name: "DefaultBinder",
  start: ({ client }) => {
    const pods = client.resource(Pod);
    return {
      async bind({ pod }, node) {
        const { namespace = "", name = "", uid } = pod.metadata;
        await pods.namespace(namespace).createSubresource(name, "binding", {
          apiVersion: "v1",
          kind: "Binding",
          metadata: { namespace, name, uid },
          target: { kind: "Node", name: node.name },
        });
        return true;
      },
    };
  },
});
