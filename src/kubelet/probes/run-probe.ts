/** Asks one container once how it is. */
import { connect } from "node:net";
import type { Container, Probe } from "../../api/schema/core.v1.generated.ts";
import { GrpcClient, GrpcError } from "../../host/grpc/grpc-client.ts";
import { integer, message, string } from "../../host/grpc/messages.ts";
import { rpcErrorText } from "../../host/grpc/status-text.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { askHTTP } from "./ask-http.ts";
import { portNumber } from "./container-port.ts";

export interface ProbeAnswer {
  /** `unknown`: nothing can be said, and nothing follows. */
  result: "success" | "warning" | "failure" | "unknown";
  output: string;
}

export interface ProbePlace {
  container: Container;
  containerID: string;
  podIP: string;
}

export const USER_AGENT = "kube-probe/1.36";
const DEADLINE_EXCEEDED = 4;
const UNIMPLEMENTED = 12;

export async function runProbe(
  runtime: Pick<ContainerRuntime, "execSync">,
  probe: Probe,
  place: ProbePlace,
): Promise<ProbeAnswer> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  try {
    if (probe.exec) return await askCommand(runtime, place, probe.exec.command ?? [], timeoutMs);
    if (probe.httpGet) return await askPath(place, probe.httpGet, timeoutMs);
    if (probe.tcpSocket) {
      const { host = "", port } = probe.tcpSocket;
      return await askSocket(host || place.podIP, portNumber(port, place.container), timeoutMs);
    }
    if (probe.grpc) return await askHealth(place.podIP, probe.grpc, timeoutMs);
    return { result: "unknown", output: `missing probe handler for ${place.container.name}` };
  } catch (error) {
    return { result: "unknown", output: rpcErrorText(error) };
  }
}

async function askCommand(
  runtime: Pick<ContainerRuntime, "execSync">,
  { containerID }: ProbePlace,
  cmd: readonly string[],
  timeoutMs: number,
): Promise<ProbeAnswer> {
  try {
    const seconds = timeoutMs / 1000;
    const answer = await runtime.execSync(
      { containerId: containerID, cmd, timeout: seconds },
      timeoutMs + 5000,
    );
    const output = Buffer.concat([answer.stdout, answer.stderr]).toString().slice(0, 10_240);
    return { result: answer.exitCode === 0 ? "success" : "failure", output };
  } catch (error) {
    if (error instanceof GrpcError && error.code === DEADLINE_EXCEEDED) {
      const output = `command timed out: ${JSON.stringify(cmd.join(" "))} timed out after ${timeoutMs / 1000}s`;
      return { result: "failure", output };
    }
    throw error;
  }
}

async function askPath(
  { container, podIP }: ProbePlace,
  { host = "", path = "/", port, scheme = "HTTP", httpHeaders = [] }: NonNullable<Probe["httpGet"]>,
  timeoutMs: number,
): Promise<ProbeAnswer> {
  const at = host || podIP;
  const number = portNumber(port, container);
  const question = {
    host: at,
    port: number,
    path,
    scheme,
    headers: httpHeaders,
    timeoutMs,
    userAgent: USER_AGENT,
  };
  try {
    const { status, body, elsewhere } = await askHTTP(question);
    if (elsewhere !== undefined) {
      return { result: "warning", output: `Probe terminated redirects, Response body: ${body}` };
    }
    if (status >= 200 && status < 400) return { result: "success", output: body };
    return { result: "failure", output: `HTTP probe failed with statuscode: ${status}` };
  } catch (error) {
    const url = `${scheme.toLowerCase()}://${address(at, number)}${path.startsWith("/") ? path : `/${path}`}`;
    return { result: "failure", output: `Get ${JSON.stringify(url)}: ${failureText(error, at, number)}` };
  }
}

function askSocket(host: string, port: number, timeoutMs: number): Promise<ProbeAnswer> {
  const { promise, resolve } = Promise.withResolvers<ProbeAnswer>();
  const socket = connect({ host, port });
  const fail = (why: string): void => {
    socket.destroy();
    resolve({ result: "failure", output: `dial tcp ${address(host, port)}: ${why}` });
  };
  socket.setTimeout(timeoutMs, () => fail("i/o timeout"));
  socket.on("error", (error) => fail(connectText(error)));
  socket.on("connect", () => {
    socket.destroy();
    resolve({ result: "success", output: "" });
  });
  return promise;
}

const HealthCheckRequest = message({ service: string(1) });
const HealthCheckResponse = message({ status: integer(1) });
const HEALTH = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

async function askHealth(
  host: string,
  { port, service = "" }: NonNullable<Probe["grpc"]>,
  timeoutMs: number,
): Promise<ProbeAnswer> {
  const at = address(host, port);
  const client = new GrpcClient({ peer: at, endpoints: [`http://${at}`], timeoutMs });
  try {
    const request = HealthCheckRequest.encode({ service });
    const { status } = HealthCheckResponse.decode(await client.call("/grpc.health.v1.Health/Check", request));
    const health = HEALTH[status] ?? String(status);
    if (health === "SERVING") return { result: "success", output: `service healthy` };
    return { result: "failure", output: `service unhealthy (responded with "${health}")` };
  } catch (error) {
    if (error instanceof GrpcError && error.code === UNIMPLEMENTED) {
      const output = `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${error.message}`;
      return { result: "failure", output };
    }
    if (error instanceof GrpcError && error.unsent) {
      const within = `${timeoutMs / 1000}s`;
      return {
        result: "failure",
        output: `timeout: failed to connect service "${at}" within ${within}: ${error.message}`,
      };
    }
    return { result: "failure", output: `error: health rpc probe failed: ${rpcErrorText(error)}` };
  } finally {
    client.close();
  }
}

function address(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function failureText(error: unknown, host: string, port: number): string {
  if (error instanceof Error && error.name === "TimeoutError") {
    return "context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
  }
  const code = codeOf(error);
  if (code === "ECONNRESET") return "EOF";
  return code === undefined ? String(error) : `dial tcp ${address(host, port)}: ${connectText(error)}`;
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ETIMEDOUT: "connection timed out",
  ECONNRESET: "connection reset by peer",
};

function connectText(error: unknown): string {
  const code = codeOf(error) ?? "";
  if (Object.hasOwn(REASONS, code)) return `connect: ${REASONS[code]}`;
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}
