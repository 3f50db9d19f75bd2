/** What the path of a request for a resource may name. */
import { isPathSegmentName } from "../../machinery/names/names.ts";
import { badRequest, StatusError } from "../../machinery/status/status-error.ts";
import type { Served } from "../registry/registry.ts";
import type { ApiRequest } from "./api-request.ts";
import { noSuchMethod } from "./no-such-method.ts";

const ACROSS_NAMESPACES = ["list", "watch"];
const OF_ONE = ["update", "patch"];

/**
 * A name of the path is one segment of a key and no more: "kube-system%2Fx" must not reach what lies in a namespace that
 * authorization was not asked for. Outside a namespace namespaced objects can only be read together.
 */
export function checkPath({ info }: ApiRequest, served: Served): void {
  const { name, namespace, subresource, verb } = info;
  checkSegment(name);
  checkSegment(namespace);
  if (name === "" ? OF_ONE.includes(verb) : verb === "create" && subresource === "") throw noSuchMethod();
  if (served.resource.scope !== "Namespaced" || namespace !== "" || ACROSS_NAMESPACES.includes(verb)) return;
  if (name !== "") throw new StatusError("NotFound", "the server could not find the requested resource", {});
  throw noSuchMethod();
}

function checkSegment(segment: string): void {
  if (!segment.includes("/") && !segment.includes("%") && segment[0] !== ".") return;
  const [wrong] = isPathSegmentName(segment);
  if (wrong) throw badRequest(`Name parameter invalid: ${JSON.stringify(segment)}: ${wrong}`);
}
