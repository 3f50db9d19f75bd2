/** Keeps the pods of ReplicationControllers, the forerunners of ReplicaSets. */
import { ReplicationController } from "../../api/core/replication-controller.ts";
import { selectorFromSet } from "../../machinery/selectors/labels.ts";
import type { Controller } from "../runtime/controller.ts";
import { replicasController } from "./replicas-controller.ts";

export const replicationController: Controller = replicasController<ReplicationController>({
  name: "replicationcontroller-controller",
  account: "replication-controller",
  eventSource: "replication-controller",
  queue: "replicationmanager",
  resource: ReplicationController,
  selectorOf: ({ spec }) => selectorFromSet(spec?.selector ?? {}),
  tellsTerminating: false,
  related: (_, controller) => [controller],
});
