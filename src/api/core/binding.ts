import { defineResource } from "../resource.ts";
import type { Binding as BindingObject } from "../schema/core.v1.generated.ts";
import { bindPod, Pod } from "./pods.ts";

export type Binding = BindingObject;

/** POST only: the older way to say what `pods/binding` says. */
export const Binding = defineResource<Binding>({
  group: "",
  version: "v1",
  kind: "Binding",
  plural: "bindings",
  scope: "Namespaced",
  definition: "core.v1.Binding",
  virtual: {
    // The answer is a Status, whose kind tells so.
    create: async (binding, context) =>
      (await bindPod(Pod, binding.metadata.namespace ?? "", binding, context)) as Binding,
  },
});
