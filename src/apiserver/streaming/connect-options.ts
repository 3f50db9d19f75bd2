/** The options of a stream, which come in the query. */
import type { ApiRequest } from "../endpoints/api-request.ts";

export interface StreamOptions {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  tty: boolean;
  container: string;
  command: readonly string[];
}

/** As upstream's conversion of query parameters: "0" and "false" are false, any other text is true. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== "0" && value.toLowerCase() !== "false";
}

/** PodExecOptions and PodAttachOptions. */
export function streamOptions(query: URLSearchParams): StreamOptions {
  return {
    stdin: flag(query, "stdin"),
    stdout: flag(query, "stdout"),
    stderr: flag(query, "stderr"),
    tty: flag(query, "tty"),
    container: query.get("container") ?? "",
    command: query.getAll("command"),
  };
}

/** What the kubelet calls the same, for its own query. */
export function kubeletQuery(options: StreamOptions): URLSearchParams {
  const query = new URLSearchParams();
  const names = { stdin: "input", stdout: "output", stderr: "error", tty: "tty" } as const;
  for (const [name, theirs] of Object.entries(names)) {
    if (options[name as keyof typeof names]) query.set(theirs, "1");
  }
  for (const word of options.command) query.append("command", word);
  return query;
}

/** The object that admission sees: PodExecOptions, NodeProxyOptions … */
export function connectOptions({ info, query, exchange }: ApiRequest): object {
  const { declared, subresource } = info;
  const kind = declared?.acts === "connect" ? declared.kind : "";
  const head = { kind, apiVersion: "v1" };
  if (declared?.acts === "connect" && declared.takesPath)
    return { ...head, path: proxyPath(exchange.path).below };
  if (subresource === "portforward") return { ...head, ports: forwardedPorts(query) };
  const { command, container, ...flags } = streamOptions(query);
  const options = { ...head, ...flags, ...(container === "" ? {} : { container }) };
  return subresource === "exec" ? { ...options, command } : options;
}

export function forwardedPorts(query: URLSearchParams): number[] {
  return query.getAll("ports").flatMap((text) => text.split(",").map(Number));
}

/**
 * A proxy's path as it was sent: up to and with `proxy`, and what is below it, with its slash; "" where it ends there.
 *
 *   /api/v1/namespaces/NAMESPACE/pods/NAME/proxy/below
 *   /api/v1/nodes/NAME/proxy/below
 */
export function proxyPath(path: string): { root: string; below: string } {
  const segments = path.startsWith("/api/v1/namespaces/") ? 8 : 6;
  let end = 0;
  for (let i = 0; i < segments && end >= 0; i++) end = path.indexOf("/", end + (i === 0 ? 0 : 1));
  const slash = end < 0 ? -1 : path.indexOf("/", end);
  return slash < 0 ? { root: path, below: "" } : { root: path.slice(0, slash), below: path.slice(slash) };
}
