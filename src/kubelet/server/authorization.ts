/**
 * What a request to the kubelet needs: a verb on a subresource of its Node, which the API server's authorizers decide on
 * (upstream: Kubelet authentication/authorization, with the fine-grained subresources of KEP-2862).
 */
import { SubjectAccessReview } from "../../api/authorization/subject-access-review.ts";
import type { User } from "../../api/user.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import { KeptAnswers } from "./kept-answers.ts";

/** Milliseconds that a verdict is kept: upstream's authorization.webhook cache TTLs. */
const ALLOWED_TTL = 5 * 60_000;
const REFUSED_TTL = 30_000;

/** `subresources`: having one of them is enough; they are asked for in this order. */
export interface NodeAccess {
  verb: string;
  subresources: readonly string[];
}

const VERBS = new Map([
  ["POST", "create"],
  ["GET", "get"],
  ["HEAD", "get"],
  ["PUT", "update"],
  ["PATCH", "patch"],
  ["DELETE", "delete"],
]);

/** Paths that run something: a WebSocket asks for them by GET, and still does more than reading (k/k#136550). */
const ACTIONS = ["/exec", "/attach", "/portForward", "/run"];

const SUBRESOURCES: readonly (readonly [path: string, subresources: readonly string[]])[] = [
  ["/stats", ["stats"]],
  ["/metrics", ["metrics"]],
  ["/logs", ["log"]],
  ["/checkpoint", ["checkpoint"]],
  ["/healthz", ["healthz", "proxy"]],
  ["/configz", ["configz", "proxy"]],
  ["/pods", ["pods", "proxy"]],
  ["/runningpods", ["pods", "proxy"]],
];

export function accessOf(method: string, path: string): NodeAccess {
  const isIn = (root: string) => path === root || path.startsWith(`${root}/`);
  const verb = ACTIONS.some(isIn) ? "create" : (VERBS.get(method) ?? "");
  return { verb, subresources: SUBRESOURCES.find(([root]) => isIn(root))?.[1] ?? ["proxy"] };
}

export interface KubeletAuthorization {
  /** Rejects where the API server could not be asked. */
  isAllowed(user: User, access: NodeAccess): Promise<boolean>;
}

export function kubeletAuthorization(options: {
  nodeName: string;
  client: Client;
  clock: Clock;
}): KubeletAuthorization {
  const reviews = options.client.resource(SubjectAccessReview);
  const kept = new KeptAnswers<boolean>(options.clock);

  async function review(user: User, verb: string, subresource: string): Promise<boolean> {
    const { name, uid, groups, extra } = user;
    const { status } = await reviews.create({
      metadata: {},
      spec: {
        user: name,
        groups: [...groups],
        ...(uid ? { uid } : {}),
        ...(extra ? { extra: mutable(extra) } : {}),
        resourceAttributes: {
          verb,
          version: "v1",
          resource: "nodes",
          subresource,
          name: options.nodeName,
        },
      },
    });
    return status?.allowed === true;
  }

  return {
    async isAllowed(user, { verb, subresources }) {
      for (const subresource of subresources) {
        const key = JSON.stringify([user.name, user.uid, user.groups, user.extra, verb, subresource]);
        const ask = () => review(user, verb, subresource);
        if (await kept.get(key, ask, (allowed) => (allowed ? ALLOWED_TTL : REFUSED_TTL))) return true;
      }
      return false;
    },
  };
}

function mutable(extra: NonNullable<User["extra"]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]));
}
