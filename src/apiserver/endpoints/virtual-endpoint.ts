/** Resources that are answered, not stored: reviews, bindings, component statuses, metrics. */

import type { KubeObject } from "../../api/object.ts";
import { invalid } from "../../machinery/field/field-error.ts";
import { stringifyBytes } from "../../machinery/json/json.ts";
import { notFound } from "../../machinery/status/status-error.ts";
import { contextOf, groupResource, type Served } from "../registry/registry.ts";
import { CachedObject, facetsOf, shapeOf } from "../watch-cache/cached-object.ts";
import { selects } from "../watch-cache/selection.ts";
import type { ApiRequest } from "./api-request.ts";
import { bodyKindOf, readBody } from "./decode-body.ts";
import { callOf, type Endpoints, formOf, namespaceOf, sendValue } from "./endpoint.ts";
import { noSuchMethod } from "./no-such-method.ts";
import { writeParameters } from "./parameters.ts";
import { contentTypeOf, listBytes, objectBytes } from "./representation.ts";
import { selectionFrom } from "./selectors.ts";

export async function serveVirtual(endpoints: Endpoints, request: ApiRequest, served: Served): Promise<void> {
  const { resource } = served;
  const { verb, name } = request.info;
  const { create, get, list } = resource.virtual ?? {};
  if (verb === "create" && create) return answer(endpoints, request, served, create);
  const form = formOf(endpoints, request, served);
  const context = contextOf(endpoints.registry, callOf(endpoints, request));
  const namespace = namespaceOf(request, served);
  if (verb === "get" && get) {
    const object = await get(name, context, namespace);
    if (!object) throw notFound(groupResource(served), name);
    request.send(200, contentTypeOf(form), objectBytes(form, asCached(served, object)));
    return;
  }
  if (verb === "list" && list) {
    const { query } = request;
    const selection = selectionFrom(
      served,
      namespace,
      query.get("labelSelector"),
      query.get("fieldSelector"),
    );
    const items = (await list(context, selection.namespace))
      .map((object) => asCached(served, object))
      .filter((object) => selects(selection, object));
    request.send(200, contentTypeOf(form), listBytes(form, items, { resourceVersion: "" }));
    return;
  }
  throw noSuchMethod();
}

async function answer(
  endpoints: Endpoints,
  request: ApiRequest,
  served: Served,
  create: NonNullable<NonNullable<Served["resource"]["virtual"]>["create"]>,
): Promise<void> {
  const { registry } = endpoints;
  const parameters = writeParameters(request, "CreateOptions");
  const form = formOf(endpoints, request, served);
  const read = await readBody(registry, request, bodyKindOf(served), parameters.fieldValidation);
  const object = read();
  const namespace = namespaceOf(request, served);
  if (namespace !== "") object.metadata.namespace ??= namespace;
  const context = contextOf(registry, callOf(endpoints, request, parameters));
  const errors = served.resource.validate?.(object, context) ?? [];
  if (errors.length > 0) {
    throw invalid({ group: served.group, kind: served.kind }, object.metadata.name ?? "", errors);
  }
  const answered = await create(object, context);
  const definition = answered.kind === "Status" ? "meta.v1.Status" : served.definition;
  sendValue(request, 201, form, answered, definition);
}

function asCached(served: Served, object: KubeObject): CachedObject {
  const shape = shapeOf(served.resource);
  const { namespace = "", name = "" } = object.metadata;
  return new CachedObject(
    namespace === "" ? name : `${namespace}/${name}`,
    0,
    stringifyBytes(object),
    facetsOf(shape, object),
    shape,
  );
}
