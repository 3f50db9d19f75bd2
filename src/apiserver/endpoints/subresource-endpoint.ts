/** status, scale, binding, eviction, token, log …: whatever a declaration says stands behind an object's name. */
import type { KubeObject } from "../../api/object.ts";
import { apiVersionOf } from "../../api/object.ts";
import type { ActionSubresource, UpdateSubresource } from "../../api/resource.ts";
import { invalid } from "../../machinery/field/field-error.ts";
import { badRequest, notFound, StatusError } from "../../machinery/status/status-error.ts";
import { admissionRequest } from "../registry/create.ts";
import { contextOf, groupResource, type Served } from "../registry/registry.ts";
import { update } from "../registry/update.ts";
import { cacheKey } from "../watch-cache/cached-object.ts";
import type { ApiRequest } from "./api-request.ts";
import { type BodyKind, bodyKindOf, readBody } from "./decode-body.ts";
import { callOf, type Endpoints, formOf, namespaceOf, sendObject, sendValue } from "./endpoint.ts";
import { noSuchMethod } from "./no-such-method.ts";
import { writeParameters } from "./parameters.ts";
import { readPatch } from "./patch.ts";
import { serveScale } from "./scale-endpoint.ts";
import { toStored } from "./versions.ts";

export function serveSubresource(
  endpoints: Endpoints,
  request: ApiRequest,
  served: Served,
): void | Promise<void> {
  const { declared, verb } = request.info;
  if (!declared) throw new StatusError("NotFound", "the server could not find the requested resource", {});
  switch (declared.acts) {
    case "update":
      if (!(declared.verbs as readonly string[]).includes(verb)) throw noSuchMethod();
      return verb === "get"
        ? getParent(endpoints, request, served)
        : change(endpoints, request, served, declared);
    case "scale":
      return serveScale(endpoints, request, served, declared);
    case "create":
      if (verb !== "create") throw noSuchMethod();
      return act(endpoints, request, served, declared);
    default:
      return endpoints.connect(request, served);
  }
}

async function getParent(endpoints: Endpoints, request: ApiRequest, served: Served): Promise<void> {
  const { cache } = endpoints.registry;
  const waited = cache.fresh();
  if (waited) await waited;
  const object = cache.cache(served.resource).get(cacheKey(namespaceOf(request, served), request.info.name));
  if (!object) throw notFound(groupResource(served), request.info.name);
  sendObject(request, 200, formOf(endpoints, request, served), object);
}

async function change(
  endpoints: Endpoints,
  request: ApiRequest,
  served: Served,
  strategy: UpdateSubresource<KubeObject>,
): Promise<void> {
  const { registry } = endpoints;
  const { info } = request;
  const patches = info.verb === "patch";
  const parameters = writeParameters(request, patches ? "PatchOptions" : "UpdateOptions");
  const form = formOf(endpoints, request, served);
  const call = callOf(endpoints, request, parameters);
  const body = bodyKindOf(served);
  const { name, subresource } = info;
  const target = { served, namespace: namespaceOf(request, served), name, subresource, strategy };
  if (patches) {
    const patched = { body, subresource, resets: strategy.resets, now: call.now };
    const step = await readPatch(registry, request, patched, parameters);
    const { object } = await update(
      registry,
      call,
      target,
      (old) => {
        const current = old && served.alternate ? served.alternate.fromStored(old) : old;
        return { object: toStored(served, step.from(current)), managed: step.applies };
      },
      { mayCreate: false, unconditional: true },
    );
    sendObject(request, 200, form, object);
    return;
  }
  const read = await readBody(registry, request, body, parameters.fieldValidation);
  const { object } = await update(registry, call, target, () => ({ object: toStored(served, read()) }), {
    mayCreate: false,
    replaces: true,
    unconditional: served.resource.allowUnconditionalUpdate,
  });
  sendObject(request, 200, form, object);
}

async function act(
  endpoints: Endpoints,
  request: ApiRequest,
  served: Served,
  action: ActionSubresource,
): Promise<void> {
  const { registry } = endpoints;
  const { info } = request;
  const parameters = writeParameters(request, "CreateOptions");
  const form = formOf(endpoints, request, served);
  const { kind, definition, defaults } = action;
  const also = action.alsoVersions?.map((version) => apiVersionOf({ ...kind, version }));
  const body: BodyKind = { kind: kind.kind, apiVersion: apiVersionOf(kind), also, definition, defaults };
  const object = (await readBody(registry, request, body, parameters.fieldValidation))();
  const namespace = namespaceOf(request, served);
  const { metadata } = object;
  if (metadata.namespace && metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  metadata.namespace = namespace;
  if (metadata.name && metadata.name !== info.name) {
    throw badRequest(`name in URL does not match name in ${kind.kind} object`);
  }
  metadata.name = info.name;
  const call = callOf(endpoints, request, parameters);
  const admitted = admissionRequest(call, served, namespace, info.name, object, undefined, info.subresource);
  const mutated = registry.admission.mutate(admitted);
  if (mutated) await mutated;
  const errors = action.validate?.(object) ?? [];
  if (errors.length > 0) throw invalid({ group: kind.group, kind: kind.kind }, info.name, errors);
  const checked = registry.admission.validate(admitted);
  if (checked) await checked;
  const answer = await action.create({ namespace, name: info.name }, object, contextOf(registry, call));
  sendValue(request, 201, form, answer, answer.kind === "Status" ? "meta.v1.Status" : definition);
}
