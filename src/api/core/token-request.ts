/** POST …/serviceaccounts/<name>/token: a signed, expiring token, bound to another object if asked. */
import { type FieldError, invalidValue } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { badRequest, conflict, notFound } from "../../machinery/status/status-error.ts";
import { type KubeObject, parseApiVersion } from "../object.ts";
import type { BoundObject } from "../ports.ts";
import type { ActionSubresource, RequestContext, Resource } from "../resource.ts";

export interface TokenRequest extends KubeObject {
  spec: {
    audiences?: string[];
    expirationSeconds?: number;
    boundObjectRef?: { apiVersion?: string; kind?: string; name?: string; uid?: string };
  };
  status?: { token: string; expirationTimestamp: string };
}

const MIN_SECONDS = 10 * 60;
const MAX_SECONDS = 2 ** 32;

/** The kinds that the token's rules look at; given late, since ServiceAccount itself is one. */
export interface TokenKinds {
  account: Resource;
  pod: Resource;
  secret: Resource;
  node: Resource;
}

export function tokenSubresource(kinds: () => TokenKinds): ActionSubresource {
  return {
    acts: "create",
    kind: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest" },
    definition: "authentication.v1.TokenRequest",
    defaults(body) {
      const request = body as TokenRequest;
      request.spec ??= {};
      request.spec.expirationSeconds ??= 3600;
    },
    validate: (body) => validate(body as TokenRequest),
    create: (parent, body, context) => issue(parent, body as TokenRequest, kinds(), context),
  };
}

function validate({ spec }: TokenRequest): FieldError[] {
  const path = FieldPath.root("spec", "expirationSeconds");
  const seconds = spec.expirationSeconds ?? 0;
  if (seconds < MIN_SECONDS) {
    return [invalidValue(path, seconds, "may not specify a duration less than 10 minutes")];
  }
  if (seconds > MAX_SECONDS) {
    return [invalidValue(path, seconds, "may not specify a duration larger than 2^32 seconds")];
  }
  return [];
}

async function issue(
  { namespace, name }: { namespace: string; name: string },
  request: TokenRequest,
  kinds: TokenKinds,
  { ports }: RequestContext,
): Promise<TokenRequest> {
  const account = ports.reader.get(kinds.account, namespace, name);
  if (!account) throw notFound({ group: "", resource: "serviceaccounts" }, name);
  const { audiences = [], expirationSeconds = 3600 } = request.spec;
  const asked = audiences.length > 0 ? audiences : [...ports.tokens.audiences];
  const { token, expires } = await ports.tokens.issue({
    namespace,
    name,
    uid: account.metadata.uid ?? "",
    audiences: asked,
    seconds: expirationSeconds,
    ...bindingOf(request, { namespace, account: name }, kinds, ports.reader),
  });
  return {
    ...request,
    metadata: { ...request.metadata, name, namespace },
    spec: { ...request.spec, audiences: asked, expirationSeconds },
    status: { token, expirationTimestamp: expires },
  };
}

/** The object and node that the token is bound to, checked to exist and to be the one that was meant. */
function bindingOf(
  request: TokenRequest,
  { namespace, account }: { namespace: string; account: string },
  kinds: TokenKinds,
  reader: RequestContext["ports"]["reader"],
): { bound?: BoundObject; node?: { name: string; uid?: string } } {
  const ref = request.spec.boundObjectRef;
  if (!ref) return {};
  const { kind = "", apiVersion = "", name = "" } = ref;
  const { group, version } = parseApiVersion(apiVersion);
  const core = group === "" && version === "v1";
  const known = core
    ? [kinds.pod, kinds.secret, kinds.node].find((bindable) => bindable.kind === kind)
    : undefined;
  if (!known) throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${kind}`);
  const object = reader.get(known, known.scope === "Cluster" ? "" : namespace, name);
  if (!object) throw notFound({ group: "", resource: known.plural }, name);
  const uid = object.metadata.uid ?? "";
  if (ref.uid && ref.uid !== uid) {
    const why = `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group, resource: kind }, name, why);
  }
  const bound = { apiVersion: "v1", kind, name, uid };
  if (kind !== "Pod") return { bound };
  const { spec } = object as KubeObject & { spec?: { serviceAccountName?: string; nodeName?: string } };
  if (spec?.serviceAccountName !== account) {
    throw badRequest(
      `cannot bind token for serviceaccount "${account}" to pod running with different serviceaccount name.`,
    );
  }
  if (!spec.nodeName) return { bound };
  const node = reader.get(kinds.node, "", spec.nodeName);
  return { bound, node: { name: spec.nodeName, uid: node?.metadata.uid } };
}
