/** autoscaling/v1 Scale: a view of a workload's size, and a way to set nothing else. */
import type { KubeObject } from "../../api/object.ts";
import type { ScaleSubresource, UpdateSubresource } from "../../api/resource.ts";
import { invalid, invalidValue } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { badRequest, conflict, notFound, OPTIMISTIC_LOCK } from "../../machinery/status/status-error.ts";
import { copyValue } from "../registry/copy-value.ts";
import { groupResource, type Served } from "../registry/registry.ts";
import { update } from "../registry/update.ts";
import { cacheKey } from "../watch-cache/cached-object.ts";
import type { ApiRequest } from "./api-request.ts";
import { type BodyKind, readBody } from "./decode-body.ts";
import { callOf, type Endpoints, formOf, namespaceOf, sendValue } from "./endpoint.ts";
import { noSuchMethod } from "./no-such-method.ts";
import { writeParameters } from "./parameters.ts";
import { readPatch } from "./patch.ts";

interface Scale extends KubeObject {
  spec?: { replicas?: number };
  status?: { replicas: number; selector?: string };
}

const BODY: BodyKind = { kind: "Scale", apiVersion: "autoscaling/v1", definition: "autoscaling.v1.Scale" };

export async function serveScale(
  endpoints: Endpoints,
  request: ApiRequest,
  served: Served,
  scale: ScaleSubresource<KubeObject>,
): Promise<void> {
  const { registry } = endpoints;
  const { info } = request;
  const form = formOf(endpoints, request, served);
  const namespace = namespaceOf(request, served);
  if (info.verb === "get") {
    const waited = registry.cache.fresh();
    if (waited) await waited;
    const found = registry.cache.cache(served.resource).get(cacheKey(namespace, info.name));
    if (!found) throw notFound(groupResource(served), info.name);
    return sendValue(request, 200, form, scaleOf(scale, found.object), BODY.definition);
  }
  const patches = info.verb === "patch";
  if (!patches && info.verb !== "update") {
    throw noSuchMethod();
  }
  const parameters = writeParameters(request, patches ? "PatchOptions" : "UpdateOptions");
  const call = callOf(endpoints, request, parameters);
  const target = { body: BODY, subresource: "scale", resets: [], now: call.now };
  const step = patches ? await readPatch(registry, request, target, parameters) : undefined;
  const read = patches ? undefined : await readBody(registry, request, BODY, parameters.fieldValidation);
  const strategy: UpdateSubresource<KubeObject> = {
    acts: "update",
    verbs: ["get", "patch", "update"],
    prepare: () => {},
    resets: [],
  };
  const { object } = await update(
    registry,
    call,
    { served, namespace, name: info.name, subresource: "scale", strategy },
    (old) => {
      const wanted = (step ? step.from(scaleOf(scale, old!)) : read!()) as Scale;
      return { object: scaled(served, scale, old!, wanted, info.name) };
    },
    { mayCreate: false, unconditional: true },
  );
  sendValue(request, 200, form, scaleOf(scale, object.object), BODY.definition);
}

function scaleOf(scale: ScaleSubresource<KubeObject>, object: KubeObject): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = scale.selector(object);
  return {
    kind: "Scale",
    apiVersion: "autoscaling/v1",
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: scale.replicas(object) },
    status: { replicas: scale.statusReplicas(object), selector: selector || undefined },
  };
}

function agreeOnName({ metadata }: Scale, name: string): void {
  if (!metadata.name) {
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (metadata.name !== name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  }
}

/** A copy of the workload with the size that the Scale asks for. */
function scaled(
  served: Served,
  scale: ScaleSubresource<KubeObject>,
  old: KubeObject,
  wanted: Scale,
  name: string,
): KubeObject {
  const { resourceVersion, uid } = wanted.metadata;
  agreeOnName(wanted, name);
  if (resourceVersion && resourceVersion !== old.metadata.resourceVersion) {
    throw conflict(groupResource(served), name, OPTIMISTIC_LOCK);
  }
  const replicas = wanted.spec?.replicas ?? 0;
  if (replicas < 0) {
    const error = invalidValue(
      FieldPath.root("spec", "replicas"),
      replicas,
      "must be greater than or equal to 0",
    );
    throw invalid({ group: "autoscaling", kind: "Scale" }, name, [error]);
  }
  const copy = copyValue(old);
  if (uid) copy.metadata.uid = uid;
  scale.setReplicas(copy, replicas);
  return copy;
}
