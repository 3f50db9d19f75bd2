/** Keeps the pods of ReplicaSets. Of two replica sets of one Deployment, it first thins out where both are on a node. */
import { ReplicaSet } from "../../api/apps/replica-set.ts";
import { controllerOf } from "../../machinery/meta/owner.ts";
import { labelSelectorOf } from "../../machinery/selectors/labels.ts";
import type { Controller } from "../runtime/controller.ts";
import { replicasController } from "./replicas-controller.ts";

export const replicaSetController: Controller = replicasController<ReplicaSet>({
  name: "replicaset-controller",
  account: "replicaset-controller",
  resource: ReplicaSet,
  selectorOf: ({ spec }) => labelSelectorOf(spec?.selector),
  tellsTerminating: true,
  related(replicaSets, replicaSet) {
    const controller = controllerOf(replicaSet);
    return controller ? replicaSets.by("controllerUID", controller.uid) : [replicaSet];
  },
});
