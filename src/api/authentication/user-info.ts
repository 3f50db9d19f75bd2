import type { User } from "../user.ts";

/** A user as reviews show it (authentication.k8s.io UserInfo). */
export interface UserInfo {
  username?: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

export function userInfoOf({ name, uid, groups, extra }: User): UserInfo {
  const info: UserInfo = { username: name };
  if (uid) info.uid = uid;
  if (groups.length > 0) info.groups = [...groups];
  if (extra && Object.keys(extra).length > 0) {
    const copy: Record<string, string[]> = Object.create(null);
    for (const key of Object.keys(extra)) copy[key] = [...(extra[key] ?? [])];
    info.extra = copy;
  }
  return info;
}
