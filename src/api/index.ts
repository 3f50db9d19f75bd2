/** Every built-in resource: the list from which routes, discovery, OpenAPI and RBAC are computed. */
import { appsResources } from "./apps/index.ts";
import { resources as authentication } from "./authentication/index.ts";
import { resources as authorization } from "./authorization/index.ts";
import { resources as coordination } from "./coordination/index.ts";
import { anyKind } from "./core/any-kind.ts";
import { coreResources } from "./core/index.ts";
import { podResources } from "./core/pods.ts";
import { resources as networking } from "./networking/index.ts";
import { resources as node } from "./node/index.ts";
import { resources as rbac } from "./rbac/index.ts";
import type { Resource } from "./resource.ts";
import { resources as scheduling } from "./scheduling/index.ts";

export const resources: readonly Resource[] = [
  ...coreResources,
  ...podResources.map((resource) => anyKind(resource as never)),
  ...appsResources.map((resource) => anyKind(resource as never)),
  ...authentication,
  ...authorization,
  ...coordination.map((resource) => anyKind(resource as never)),
  ...networking.map((resource) => anyKind(resource as never)),
  ...node.map((resource) => anyKind(resource as never)),
  ...rbac.map((resource) => anyKind(resource as never)),
  ...scheduling.map((resource) => anyKind(resource as never)),
];
