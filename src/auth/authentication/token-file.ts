/** Static tokens from a file of `token,user,uid[,"group1,group2"]`. Off unless the operator names a file. */
import { createHash } from "node:crypto";
import type { User } from "../../api/user.ts";
import { frozenUser, type TokenMethod } from "./method.ts";

/** Throws on a line that is not of this form, by its number and never its content. */
export function tokenFileMethod(csv: string): TokenMethod {
  const users = new Map<string, User>();
  csv.split(/\r?\n/).forEach((line, i) => {
    if (line.trim() === "" || line.startsWith("#")) return;
    const [token = "", name = "", uid = "", groups = ""] = fieldsOf(line);
    if (token === "" || name === "")
      throw new Error(`token file: line ${i + 1} needs a token, a user and a uid`);
    const list = groups.split(",").map((group) => group.trim());
    users.set(hashed(token), frozenUser({ name, uid, groups: list.filter((group) => group !== "") }));
  });
  return {
    authenticate(token) {
      const user = users.get(hashed(token));
      return user && { user };
    },
  };
}

/** Looking up a digest instead of the token leaves nothing to time. */
function hashed(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}

function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  let field = "";
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i];
    if (quoted && char === '"' && line[i + 1] === '"') {
      field += '"';
      i++;
    } else if (char === '"') quoted = !quoted;
    else if (char === "," && !quoted) {
      fields.push(field);
      field = "";
    } else field += char;
  }
  return [...fields, field].map((text) => text.trim());
}
