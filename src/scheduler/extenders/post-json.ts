/** The network of extenders: one JSON body for another, over HTTP or HTTPS, connections kept. */
import { Agent as HTTPAgent, request as httpRequest } from "node:http";
import { Agent as HTTPSAgent, request as httpsRequest } from "node:https";
import type { ExtenderConfiguration } from "../configuration/extender-configuration.ts";

/** Rejects where there is no answer in time, no success or no JSON. */
export type PostJSON = (url: string, body: unknown) => Promise<unknown>;

/** An answer beyond this is no answer. */
const LONGEST_ANSWER = 64 * 1024 * 1024;

export function postJSON({ timeout, tls }: Pick<ExtenderConfiguration, "timeout" | "tls">): {
  post: PostJSON;
  close(): void;
} {
  const plain = new HTTPAgent({ keepAlive: true });
  const secure = new HTTPSAgent({
    keepAlive: true,
    ca: tls?.ca,
    cert: tls?.cert,
    key: tls?.key,
    servername: tls?.serverName,
    rejectUnauthorized: !tls?.insecure,
  });
  const post: PostJSON = (url, body) =>
    new Promise((resolve, reject) => {
      const text = JSON.stringify(body);
      const isSecure = url.startsWith("https:");
      const options = {
        method: "POST",
        agent: isSecure ? secure : plain,
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(text) },
        signal: AbortSignal.timeout(timeout),
      };
      const sent = (isSecure ? httpsRequest : httpRequest)(url, options, (answer) => {
        const parts: Buffer[] = [];
        let length = 0;
        answer.on("data", (part: Buffer) => {
          length += part.length;
          if (length > LONGEST_ANSWER) answer.destroy(new Error(`the answer of ${url} is too long`));
          else parts.push(part);
        });
        answer.on("error", reject);
        answer.on("end", () => {
          if (answer.statusCode !== 200) {
            reject(new Error(`failed ${url} with extender at URL ${url}, code ${answer.statusCode}`));
            return;
          }
          try {
            resolve(JSON.parse(Buffer.concat(parts).toString("utf8")));
          } catch {
            reject(new Error(`the answer of ${url} is no JSON`));
          }
        });
      });
      sent.on("error", reject);
      sent.end(text);
    });
  return {
    post,
    close() {
      plain.destroy();
      secure.destroy();
    },
  };
}
