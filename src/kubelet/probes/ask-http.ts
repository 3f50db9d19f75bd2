/** One GET, as probes and hooks ask: certificates are not verified, and redirects to other hosts not followed. */
import { type IncomingMessage, request as requestHTTP } from "node:http";
import { request as requestHTTPS } from "node:https";

export interface HTTPQuestion {
  host: string;
  port: number;
  /** With the query. */
  path: string;
  scheme: string;
  headers: readonly { name: string; value?: string }[];
  timeoutMs: number;
  userAgent?: string;
}

export interface HTTPAnswer {
  status: number;
  body: string;
  /** Where a redirect leads to that was not followed, as it leaves the host. */
  elsewhere?: string;
}

/** The longest body that is kept: the rest is read and dropped. */
const LONGEST_BODY = 10 * 1024;
const MOST_REDIRECTS = 10;

export async function askHTTP(question: HTTPQuestion): Promise<HTTPAnswer> {
  const first = new URL(`${question.scheme.toLowerCase()}://${bracketed(question.host)}:${question.port}`);
  let url = new URL(question.path.startsWith("/") ? question.path : `/${question.path}`, first);
  const signal = AbortSignal.timeout(question.timeoutMs);
  for (let redirects = 0; ; redirects++) {
    const { status, body, location } = await ask(url, question, signal);
    if (status < 300 || status >= 400 || location === undefined) return { status, body };
    if (redirects === MOST_REDIRECTS) throw new Error(`stopped after ${MOST_REDIRECTS} redirects`);
    const next = new URL(location, url);
    if (next.hostname !== first.hostname) return { status, body, elsewhere: next.href };
    url = next;
  }
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

interface Received {
  status: number;
  body: string;
  location: string | undefined;
}

function ask(url: URL, { headers, userAgent }: HTTPQuestion, signal: AbortSignal): Promise<Received> {
  const { promise, resolve, reject } = Promise.withResolvers<Received>();
  const sent: Record<string, string | string[]> = Object.create(null);
  for (const { name, value = "" } of headers) {
    const key = name.toLowerCase();
    const known = sent[key];
    sent[key] = known === undefined ? value : [known, value].flat();
  }
  sent["user-agent"] ??= userAgent ?? "kube-lifecycle";
  sent.accept ??= "*/*";
  for (const key of ["user-agent", "accept"]) if (sent[key] === "") delete sent[key];
  const options = {
    method: "GET",
    headers: sent,
    signal,
    agent: false as const,
    setHost: sent.host === undefined,
  };
  const received = (answer: IncomingMessage): void => {
    const parts: Buffer[] = [];
    let length = 0;
    answer.on("data", (chunk: Buffer) => {
      if (length < LONGEST_BODY) parts.push(chunk);
      length += chunk.length;
    });
    answer.on("error", (error) => reject(signal.aborted ? signal.reason : error));
    answer.on("end", () => {
      const body = Buffer.concat(parts).toString("utf8").slice(0, LONGEST_BODY);
      resolve({ status: answer.statusCode ?? 0, body, location: answer.headers.location });
    });
  };
  const outgoing =
    url.protocol === "https:"
      ? requestHTTPS(url, { ...options, rejectUnauthorized: false }, received)
      : requestHTTP(url, options, received);
  outgoing.on("error", (error) => reject(signal.aborted ? signal.reason : error));
  outgoing.end();
  return promise;
}
