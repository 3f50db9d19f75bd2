/** /healthz, /livez and /readyz with a path for each check, as upstream writes them. */
import type { ApiRequest } from "../endpoints/api-request.ts";

export interface HealthCheck {
  name: string;
  /** Throws, or rejects, with the reason where it is not well. */
  check(): void | Promise<void>;
}

export interface HealthChecks {
  healthz: readonly HealthCheck[];
  livez: readonly HealthCheck[];
  readyz: readonly HealthCheck[];
}

/** Told of each check when all of an endpoint's are asked for. */
export type HealthObserver = (endpoint: string, check: string, well: boolean) => void;

export const PING: HealthCheck = { name: "ping", check: () => {} };

/** Undefined where the path is none of health's. */
export function serveHealth(
  checks: HealthChecks,
  request: ApiRequest,
  observer: HealthObserver,
): Promise<void> | undefined {
  const [, endpoint = "", name, ...more] = request.exchange.path.replace(/\/$/, "").split("/");
  if (endpoint !== "healthz" && endpoint !== "livez" && endpoint !== "readyz") return undefined;
  if (more.length > 0) return undefined;
  const own = checks[endpoint];
  if (name === undefined) return answerAll(endpoint, own, request, observer);
  const one = own.find((check) => check.name === name);
  return one ? answerOne(one, request) : undefined;
}

async function answerOne(check: HealthCheck, request: ApiRequest): Promise<void> {
  const failure = await failureOf(check);
  if (failure === undefined) plain(request, 200, "ok");
  else plain(request, 500, `internal server error: ${failure}\n`);
}

async function answerAll(
  endpoint: string,
  checks: readonly HealthCheck[],
  request: ApiRequest,
  observer: HealthObserver,
): Promise<void> {
  const excluded = new Set(request.query.getAll("exclude"));
  const lines: string[] = [];
  const failed: string[] = [];
  for (const check of checks) {
    if (excluded.delete(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`);
      continue;
    }
    const failure = await failureOf(check);
    observer(endpoint, check.name, failure === undefined);
    if (failure === undefined) lines.push(`[+]${check.name} ok`);
    else {
      failed.push(check.name);
      lines.push(`[-]${check.name} failed: reason withheld`);
    }
  }
  if (excluded.size > 0) {
    const names = [...excluded].map((name) => JSON.stringify(name)).join(",");
    lines.push(`warn: some health checks cannot be excluded: no matches for ${names}`);
  }
  const text = lines.map((line) => `${line}\n`).join("");
  if (failed.length > 0) plain(request, 500, `${text}${endpoint} check failed\n`);
  else if (request.query.has("verbose")) plain(request, 200, `${text}${endpoint} check passed\n`);
  else plain(request, 200, "ok");
}

async function failureOf({ check }: HealthCheck): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function plain(request: ApiRequest, code: number, text: string): void {
  const headers = request.headers("text/plain; charset=utf-8");
  headers["x-content-type-options"] = "nosniff";
  request.code = code;
  request.exchange.respond(code, headers, text);
}
