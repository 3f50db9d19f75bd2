/** An API server in this process, without a socket, whose bugs are collected instead of logged. */
import { startAPIServer } from "../../src/apiserver/api-server.ts";
import { InProcessExchange, type InProcessRequest } from "../../src/apiserver/http/in-process-exchange.ts";
import { systemClock } from "../../src/base/clock.ts";
import { keyToPEM, makeAuthority, makePrivateKey } from "../../src/cluster/pki/certificate.ts";
import { openMemory } from "../../src/store/memory/open-memory.ts";

/** A member of system:masters, for requests that are not about authorization. */
export const ADMIN_TOKEN = "administrator-of-the-fuzz-test";

export interface Answer {
  status: number;
  headers: Record<string, string | number>;
  text: string;
  /** Milliseconds that the request took. */
  took: number;
}

export interface InProcessServer extends AsyncDisposable {
  /** Requests that failed on a bug, with the stacks. */
  readonly bugs: string[];
  send(request: InProcessRequest): Promise<Answer>;
}

export async function startInProcess(): Promise<InProcessServer> {
  const now = new Date();
  const bugs: string[] = [];
  const store = await openMemory();
  const server = await startAPIServer({
    store,
    clock: systemClock,
    credentials: {
      clientCA: makeAuthority("client", now).certificate,
      frontProxyCA: makeAuthority("front-proxy", now).certificate,
      serviceAccountPrivateKey: keyToPEM(makePrivateKey()),
      tokenFile: `${ADMIN_TOKEN},administrator,1,system:masters`,
    },
    settings: {
      serviceCIDRs: ["10.96.0.0/12"],
      nodePortRange: { from: 30000, to: 32767 },
      dnsDomain: "cluster.local",
    },
    log: (level, text, facts) => {
      if (level === "error") bugs.push(`${text} ${facts?.method} ${facts?.path}\n${facts?.error}`);
    },
  });
  return {
    bugs,
    send: (request) => answered(server.handler, request),
    async [Symbol.asyncDispose]() {
      await server.close();
      await store[Symbol.asyncDispose]();
    },
  };
}

function answered(
  handler: (exchange: InProcessExchange) => void,
  request: InProcessRequest,
): Promise<Answer> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, ...request.headers };
  const started = performance.now();
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let head: { status: number; headers: Record<string, string | number> } = { status: 0, headers: {} };
    const exchange = new InProcessExchange(
      { ...request, headers },
      {
        headers: (status, given) => {
          head = { status, headers: given };
        },
        data: (chunk) => chunks.push(chunk),
        end: () =>
          resolve({
            ...head,
            text: Buffer.concat(chunks).toString(),
            took: performance.now() - started,
          }),
      },
    );
    handler(exchange);
  });
}
