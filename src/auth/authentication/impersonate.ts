/** Acting as another user, where authorization lets one (Impersonate-* headers). */

import type { Attributes, Authorizer, User } from "../../api/user.ts";
import { forbidden, internalError, type StatusError } from "../../machinery/status/status-error.ts";
import { forbiddenMessage } from "../authorization/forbidden-message.ts";
import { type DistinctHeaders, frozenUser, GROUP } from "./method.ts";
import { extraOf } from "./request-header.ts";

const EXTRA_PREFIX = "impersonate-extra-";
const ACCOUNT = "system:serviceaccount:";
const AUTHENTICATION_GROUP = "authentication.k8s.io";

/** Whether any header asks for it; cheap, for every request. */
export function asksToImpersonate(headers: Readonly<Record<string, unknown>>): boolean {
  for (const name in headers) if (name.startsWith("impersonate-")) return true;
  return false;
}

/**
 * The user to go on as: `user` itself where no header asks for another. Each name, group, uid and extra value is
 * checked by itself with verb `impersonate`.
 */
export async function impersonate(
  headers: DistinctHeaders,
  user: User,
  authorizer: Authorizer,
): Promise<User | StatusError> {
  const name = headers["impersonate-user"]?.[0] ?? "";
  const asked = [...(headers["impersonate-group"] ?? [])];
  const uid = headers["impersonate-uid"]?.[0] ?? "";
  const extra = extraOf(headers, EXTRA_PREFIX);
  if (name === "") {
    if (asked.length === 0 && uid === "" && !extra) return user;
    const what = JSON.stringify({ groups: asked, uid, extra: Object.keys(extra ?? {}) });
    return internalError(`requested ${what} without impersonating a user`);
  }
  const account = accountOf(name);
  for (const target of targetsOf(name, account, asked, uid, extra)) {
    const attributes: Attributes = { ...BASE, user, ...target };
    const { decision, reason } = await authorizer.authorize(attributes);
    if (decision === "allow") continue;
    const resource = { group: attributes.group, resource: attributes.resource };
    return forbidden(resource, attributes.name, forbiddenMessage(attributes, reason));
  }
  return frozenUser({
    name,
    ...(uid === "" ? {} : { uid }),
    groups: groupsOf(name, account, asked),
    ...(extra ? { extra } : {}),
  });
}

const BASE = {
  verb: "impersonate",
  namespace: "",
  group: "",
  version: "v1",
  resource: "",
  subresource: "",
  name: "",
  path: "",
  isResource: true,
};

type Target = Partial<Attributes>;

function targetsOf(
  name: string,
  account: { namespace: string; name: string } | undefined,
  groups: readonly string[],
  uid: string,
  extra: Readonly<Record<string, readonly string[]>> | undefined,
): Target[] {
  const targets: Target[] = [
    account ? { resource: "serviceaccounts", ...account } : { resource: "users", name },
  ];
  for (const group of groups) targets.push({ resource: "groups", name: group });
  for (const key of Object.keys(extra ?? {})) {
    for (const value of extra?.[key] ?? []) {
      targets.push({ group: AUTHENTICATION_GROUP, resource: "userextras", subresource: key, name: value });
    }
  }
  if (uid !== "") targets.push({ group: AUTHENTICATION_GROUP, resource: "uids", name: uid });
  return targets;
}

/** The parts of a service account's user name. */
function accountOf(name: string): { namespace: string; name: string } | undefined {
  if (!name.startsWith(ACCOUNT)) return undefined;
  const [namespace = "", account = "", ...more] = name.slice(ACCOUNT.length).split(":");
  return namespace === "" || account === "" || more.length > 0 ? undefined : { namespace, name: account };
}

function groupsOf(
  name: string,
  account: { namespace: string } | undefined,
  asked: readonly string[],
): readonly string[] {
  // Without groups of its own an impersonated account has those it would log in with.
  const groups =
    asked.length === 0 && account
      ? [GROUP.serviceAccounts, `${GROUP.serviceAccounts}:${account.namespace}`]
      : [...asked];
  const anonymous = name === "system:anonymous";
  if (anonymous) return groups.includes(GROUP.unauthenticated) ? groups : [...groups, GROUP.unauthenticated];
  if (groups.includes(GROUP.authenticated) || groups.includes(GROUP.unauthenticated)) return groups;
  return [...groups, GROUP.authenticated];
}
