/** Every built-in resource: the list from which routes, discovery, OpenAPI and RBAC are computed. */
import { resources as admissionregistration } from "./admissionregistration/index.ts";
import { resources as apiextensions } from "./apiextensions/index.ts";
import { resources as apiregistration } from "./apiregistration/index.ts";
import { appsResources } from "./apps/index.ts";
import { resources as authentication } from "./authentication/index.ts";
import { resources as authorization } from "./authorization/index.ts";
import { autoscalingResources } from "./autoscaling/index.ts";
import { batchResources } from "./batch/index.ts";
import { resources as certificates } from "./certificates/index.ts";
import { resources as coordination } from "./coordination/index.ts";
import { coreResources } from "./core/index.ts";
import { resources as discovery } from "./discovery/index.ts";
import { resources as flowcontrol } from "./flowcontrol/index.ts";
import { resources as networking } from "./networking/index.ts";
import { resources as node } from "./node/index.ts";
import { resources as policy } from "./policy/index.ts";
import { resources as rbac } from "./rbac/index.ts";
import { resources as resource } from "./resource/index.ts";
import type { Resource } from "./resource.ts";
import { resources as scheduling } from "./scheduling/index.ts";
import { resources as storage } from "./storage/index.ts";

/** Each is declared over its own type; whoever goes through all of them sees them as kinds of any type. */
const groups: readonly (readonly unknown[])[] = [
  coreResources,
  admissionregistration,
  apiextensions,
  apiregistration,
  appsResources,
  authentication,
  authorization,
  autoscalingResources,
  batchResources,
  certificates,
  coordination,
  discovery,
  flowcontrol,
  networking,
  node,
  policy,
  rbac,
  resource,
  scheduling,
  storage,
];

export const resources: readonly Resource[] = groups.flat() as Resource[];
