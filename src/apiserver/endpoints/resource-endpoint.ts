/** From a request for a resource to the verb that answers it. */
import type { KubeObject } from "../../api/object.ts";
import { notFound, StatusError } from "../../machinery/status/status-error.ts";
import { create } from "../registry/create.ts";
import { deleteObject } from "../registry/delete.ts";
import { deleteCollection } from "../registry/delete-collection.ts";
import { list, parseRevision, waitFor } from "../registry/list.ts";
import { groupResource, type Served } from "../registry/registry.ts";
import { update } from "../registry/update.ts";
import { cacheKey } from "../watch-cache/cached-object.ts";
import type { ApiRequest } from "./api-request.ts";
import { checkPath } from "./check-path.ts";
import { bodyKindOf, readBody } from "./decode-body.ts";
import { callOf, type Endpoints, formOf, namespaceOf, sendObject, sendValue } from "./endpoint.ts";
import { listOptions, watchOptions } from "./list-parameters.ts";
import { sendList } from "./list-stream.ts";
import { negotiateStream } from "./negotiate.ts";
import { noSuchMethod } from "./no-such-method.ts";
import { deleteOptions, writeParameters } from "./parameters.ts";
import { readPatch } from "./patch.ts";
import { contentTypeOf, isPlain, listBytes } from "./representation.ts";
import { selectionFrom } from "./selectors.ts";
import { serveSubresource } from "./subresource-endpoint.ts";
import { toStored } from "./versions.ts";
import { serveVirtual } from "./virtual-endpoint.ts";
import { serveWatch } from "./watch.ts";

export function serveResource(endpoints: Endpoints, request: ApiRequest): void | Promise<void> {
  const { info } = request;
  const { served } = info;
  if (!served) throw new StatusError("NotFound", "the server could not find the requested resource", {});
  if (
    served.resource.scope === "Cluster" &&
    info.namespace !== "" &&
    served.resource.plural !== "namespaces"
  ) {
    throw new StatusError("NotFound", "the server could not find the requested resource", {});
  }
  checkPath(request, served);
  if (served.resource.deprecated) request.warn(served.resource.deprecated);
  if (info.subresource !== "") return serveSubresource(endpoints, request, served);
  if (served.resource.virtual) return serveVirtual(endpoints, request, served);
  if (!(served.resource.verbs as readonly string[]).includes(info.verb)) {
    throw noSuchMethod();
  }
  switch (info.verb) {
    case "get":
      return get(endpoints, request, served);
    case "list":
      return listAll(endpoints, request, served);
    case "watch":
      return watch(endpoints, request, served);
    case "create":
      return post(endpoints, request, served);
    case "update":
      return put(endpoints, request, served);
    case "patch":
      return patch(endpoints, request, served);
    case "delete":
      return remove(endpoints, request, served);
    default:
      return removeAll(endpoints, request, served);
  }
}

function get(endpoints: Endpoints, request: ApiRequest, served: Served): void | Promise<void> {
  const { registry } = endpoints;
  const form = formOf(endpoints, request, served);
  const version = request.query.get("resourceVersion") ?? "";
  const waited =
    version === ""
      ? registry.cache.fresh()
      : version === "0"
        ? undefined
        : waitFor(registry, parseRevision(version));
  const answer = (): void => {
    const key = cacheKey(namespaceOf(request, served), request.info.name);
    const object = registry.cache.cache(served.resource).get(key);
    if (!object) throw notFound(groupResource(served), request.info.name);
    sendObject(request, 200, form, object);
  };
  return waited ? waited.then(answer) : answer();
}

async function listAll(endpoints: Endpoints, request: ApiRequest, served: Served): Promise<void> {
  const { registry } = endpoints;
  const { query } = request;
  const form = formOf(endpoints, request, served);
  const namespace = namespaceOf(request, served);
  const selection = selectionFrom(served, namespace, query.get("labelSelector"), query.get("fieldSelector"));
  const listed = await list(registry, served, selection, listOptions(query));
  if (isPlain(form)) return sendList(request, served, listed);
  const metadata = {
    resourceVersion: String(listed.revision),
    continue: listed.continue || undefined,
    remainingItemCount: listed.remaining,
  };
  request.send(200, contentTypeOf(form), listBytes(form, listed.items, metadata));
}

function watch(endpoints: Endpoints, request: ApiRequest, served: Served): Promise<void> {
  const { registry } = endpoints;
  const { query, info } = request;
  const form = formOf(endpoints, request, served);
  negotiateStream(form.accepted);
  const namespace = namespaceOf(request, served);
  const fields =
    info.name !== "" && !query.get("fieldSelector")
      ? `metadata.name=${info.name}`
      : query.get("fieldSelector");
  const selection = selectionFrom(served, namespace, query.get("labelSelector"), fields);
  const options = watchOptions(query, registry.ports.random.below);
  return serveWatch(endpoints, request, { ...form, pretty: false }, selection, options);
}

async function post(endpoints: Endpoints, request: ApiRequest, served: Served): Promise<void> {
  const { registry } = endpoints;
  const parameters = writeParameters(request, "CreateOptions");
  const form = formOf(endpoints, request, served);
  const read = await readBody(registry, request, bodyKindOf(served), parameters.fieldValidation);
  const object = toStored(served, read());
  const call = callOf(endpoints, request, parameters);
  const created = await create(registry, call, served, namespaceOf(request, served), object);
  sendObject(request, 201, form, created);
}

function targetOf(request: ApiRequest, served: Served) {
  return { served, namespace: namespaceOf(request, served), name: request.info.name, subresource: "" };
}

async function put(endpoints: Endpoints, request: ApiRequest, served: Served): Promise<void> {
  const { registry } = endpoints;
  const { resource } = served;
  const parameters = writeParameters(request, "UpdateOptions");
  const form = formOf(endpoints, request, served);
  const read = await readBody(registry, request, bodyKindOf(served), parameters.fieldValidation);
  const call = callOf(endpoints, request, parameters);
  const updated = await update(
    registry,
    call,
    targetOf(request, served),
    () => ({ object: toStored(served, read()) }),
    {
      mayCreate: resource.allowCreateOnUpdate,
      replaces: true,
      unconditional: resource.allowUnconditionalUpdate,
    },
  );
  sendObject(request, updated.created ? 201 : 200, form, updated.object);
}

async function patch(endpoints: Endpoints, request: ApiRequest, served: Served): Promise<void> {
  const { registry } = endpoints;
  const { resource } = served;
  const parameters = writeParameters(request, "PatchOptions");
  const form = formOf(endpoints, request, served);
  const call = callOf(endpoints, request, parameters);
  const target = { body: bodyKindOf(served), subresource: "", resets: resource.resets, now: call.now };
  const step = await readPatch(registry, request, target, parameters);
  const updated = await update(
    registry,
    call,
    targetOf(request, served),
    (old) => {
      const current = old && served.alternate ? served.alternate.fromStored(old) : old;
      return { object: toStored(served, step.from(current)), managed: step.applies };
    },
    { mayCreate: step.applies, unconditional: true },
  );
  sendObject(request, updated.created ? 201 : 200, form, updated.object);
}

async function remove(endpoints: Endpoints, request: ApiRequest, served: Served): Promise<void> {
  const { registry } = endpoints;
  const { resource } = served;
  const form = formOf(endpoints, request, served);
  const options = await deleteOptions(registry, request);
  const call = { ...callOf(endpoints, request), dryRun: options.dryRun ?? false };
  const { name } = request.info;
  const { object, gone } = await deleteObject(
    registry,
    call,
    served,
    namespaceOf(request, served),
    name,
    options,
  );
  if (!gone || resource.returnsDeletedObject) {
    sendObject(request, 200, form, object);
    return;
  }
  const details = {
    name,
    group: served.group || undefined,
    kind: resource.plural,
    uid: object.object.metadata.uid,
  };
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
  sendValue(request, 200, form, status as unknown as KubeObject, "meta.v1.Status");
}

async function removeAll(endpoints: Endpoints, request: ApiRequest, served: Served): Promise<void> {
  const { registry } = endpoints;
  const { query } = request;
  const form = formOf(endpoints, request, served);
  const options = await deleteOptions(registry, request);
  const call = { ...callOf(endpoints, request), dryRun: options.dryRun ?? false };
  const namespace = namespaceOf(request, served);
  const selection = selectionFrom(served, namespace, query.get("labelSelector"), query.get("fieldSelector"));
  const listed = await list(registry, served, selection, { ...listOptions(query), limit: 0, continue: "" });
  const items = await deleteCollection(registry, call, served, listed.items, options);
  const deleted = { ...listed, items, continue: "", remaining: undefined };
  if (isPlain(form)) return sendList(request, served, deleted);
  request.send(
    200,
    contentTypeOf(form),
    listBytes(form, items, { resourceVersion: String(listed.revision) }),
  );
}
