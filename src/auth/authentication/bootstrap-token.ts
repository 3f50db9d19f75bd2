/** Tokens with which a new node introduces itself: Secrets of type bootstrap.kubernetes.io/token in kube-system. */
import { timingSafeEqual } from "node:crypto";
import type { KubeObject } from "../../api/object.ts";
import type { ObjectReader } from "../../api/ports.ts";
import type { Resource } from "../../api/resource.ts";
import type { Clock } from "../../base/clock.ts";
import { type Finding, frozenUser, type TokenMethod } from "./method.ts";

export interface StoredSecret extends KubeObject {
  data?: Record<string, string>;
  type?: string;
}

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const GROUP_NAME = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const INVALID: Finding = { refused: "the bootstrap token is not valid" };

export function bootstrapTokenMethod(options: {
  reader: ObjectReader;
  secrets: Resource<StoredSecret>;
  clock: Clock;
}): TokenMethod {
  const { reader, secrets, clock } = options;
  return {
    authenticate(token) {
      const parts = token.length === 23 ? TOKEN.exec(token) : null;
      if (!parts) return undefined;
      const [, id = "", secret = ""] = parts;
      const stored = reader.get(secrets, "kube-system", `bootstrap-token-${id}`);
      if (!stored || stored.metadata.deletionTimestamp || stored.type !== "bootstrap.kubernetes.io/token") {
        return INVALID;
      }
      const text = (key: string) => Buffer.from(dataOf(stored, key), "base64").toString();
      if (text("token-id") !== id || !isSame(text("token-secret"), secret)) return INVALID;
      const expiration = text("expiration");
      // An expiration that cannot be read counts as passed.
      if (expiration !== "" && !(Date.parse(expiration) > clock.now())) return INVALID;
      if (text("usage-bootstrap-authentication") !== "true") return INVALID;
      const groups = text("auth-extra-groups")
        .split(",")
        .filter((group) => group !== "");
      if (!groups.every((group) => GROUP_NAME.test(group))) return INVALID;
      const unique = [...new Set(["system:bootstrappers", ...groups.sort()])];
      return { user: frozenUser({ name: `system:bootstrap:${id}`, groups: unique }) };
    },
  };
}

function dataOf({ data }: StoredSecret, key: string): string {
  return data && Object.hasOwn(data, key) ? (data[key] ?? "") : "";
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
