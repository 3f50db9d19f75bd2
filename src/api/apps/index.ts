import { ControllerRevision } from "./controller-revision.ts";
import { DaemonSet } from "./daemon-set.ts";
import { Deployment } from "./deployment.ts";
import { ReplicaSet } from "./replica-set.ts";
import { StatefulSet } from "./stateful-set.ts";

export { ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet };

export const appsResources = [ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet];
