/** The kinds of the core group; `events` are served in events.k8s.io too. */
import { Event } from "../events/event.ts";
import type { Resource } from "../resource.ts";
import { anyKind } from "./any-kind.ts";
import { Binding } from "./binding.ts";
import { ComponentStatus } from "./component-status.ts";
import { ConfigMap } from "./config-map.ts";
import { Endpoints } from "./endpoints.ts";
import { LimitRange } from "./limit-range.ts";
import { Namespace } from "./namespace.ts";
import { Node } from "./node.ts";
import { PersistentVolume } from "./persistent-volume.ts";
import { PersistentVolumeClaim } from "./persistent-volume-claim.ts";
import { podResources } from "./pods.ts";
import { ResourceQuota } from "./resource-quota.ts";
import { Secret } from "./secret.ts";
import { ServiceAccount } from "./service-account.ts";
import { Service } from "./services.ts";

export const coreResources: readonly Resource[] = [
  anyKind(Namespace),
  anyKind(Node),
  anyKind(ConfigMap),
  anyKind(Secret),
  anyKind(ServiceAccount),
  anyKind(Service),
  anyKind(Endpoints),
  anyKind(Event),
  anyKind(PersistentVolume),
  anyKind(PersistentVolumeClaim),
  anyKind(ResourceQuota),
  anyKind(LimitRange),
  ...(podResources as unknown as readonly Resource[]),
  anyKind(Binding),
  anyKind(ComponentStatus),
];
