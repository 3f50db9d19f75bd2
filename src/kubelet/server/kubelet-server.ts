/**
 * The kubelet's API. Every request is authenticated and authorized, health too: nothing here is for everybody.
 *
 *   request → who? (401) → may they? (403) → logs | streams | run | documents (404)
 */
import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { listenHost } from "../../host/sockets/addresses.ts";
import { kubeletAuthentication } from "./authentication.ts";
import { accessOf, kubeletAuthorization } from "./authorization.ts";
import { containerLogs } from "./container-logs.ts";
import { documentAt } from "./documents.ts";
import type { KubeletServerOptions, ServingPair, StartKubeletServer } from "./options.ts";
import { KubeletError, KubeletRequest } from "./request.ts";
import { run } from "./run.ts";
import { attach, exec, portForward } from "./streams.ts";
import { systemLogs } from "./system-logs.ts";

type Action = (
  options: KubeletServerOptions,
  request: KubeletRequest,
  segments: readonly string[],
) => Promise<void>;

/** By the first part of the path; with how many parts there may be behind it. */
const ACTIONS: ReadonlyMap<string, { act: Action; parts: readonly number[] }> = new Map([
  ["containerLogs", { act: containerLogs, parts: [3] }],
  ["exec", { act: exec, parts: [3, 4] }],
  ["attach", { act: attach, parts: [3, 4] }],
  ["portForward", { act: portForward, parts: [2, 3] }],
  ["run", { act: run, parts: [3, 4] }],
]);

export const startKubeletServer: StartKubeletServer = async (options) => {
  const authentication = kubeletAuthentication(options);
  const authorization = kubeletAuthorization(options);

  async function serve(request: KubeletRequest): Promise<void> {
    const user = await authentication.authenticate(request.incoming);
    if (!user) throw new KubeletError(401, "Unauthorized");
    const access = accessOf(request.method, request.path);
    if (!(await authorization.isAllowed(user, access))) {
      const what = `verb=${access.verb}, resource=nodes, subresource(s)=[${access.subresources.join(" ")}]`;
      throw new KubeletError(403, `Forbidden (user=${user.name}, ${what})\n`);
    }
    const [first = "", ...segments] = request.segments() ?? [];
    if (first === "logs") return systemLogs(options, request, segments);
    const action = ACTIONS.get(first);
    if (action?.parts.includes(segments.length)) return action.act(options, request, segments);
    const document = documentAt(request.path);
    if (!document) throw new KubeletError(404, "404 page not found\n");
    if (request.method !== "GET" && request.method !== "HEAD") {
      throw new KubeletError(405, "405: Method Not Allowed");
    }
    return document(request, options);
  }

  function answer(request: KubeletRequest): void {
    serve(request).catch((error: unknown) => fail(options, request, error));
  }

  const { address, port, certificate } = options;
  const shown = { certificate, clientCA: options.clientCA };
  const server = createServer({ ...tlsOptions(shown), ALPNProtocols: ["http/1.1"] });
  const tunnels = new Set<Duplex>();
  // A follower of logs may be silent for as long as its container is.
  server.timeout = 0;
  server.on("request", (incoming, response) => answer(new KubeletRequest(incoming, response)));
  server.on("upgrade", (incoming: IncomingMessage, socket: Duplex, head: Buffer) => {
    tunnels.add(socket);
    socket.once("close", () => tunnels.delete(socket));
    answer(KubeletRequest.upgrading(incoming, socket, head));
  });
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  await listen(server, address, port);
  return {
    port: (server.address() as AddressInfo).port,
    renew(fresh) {
      shown.certificate = fresh;
      server.setSecureContext(tlsOptions(shown));
    },
    trust(clientCA) {
      shown.clientCA = clientCA;
      authentication.trust(clientCA);
      server.setSecureContext(tlsOptions(shown));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of tunnels) socket.destroy();
      }),
  };
};

function fail(options: KubeletServerOptions, request: KubeletRequest, error: unknown): void {
  const { response } = request;
  if (!(error instanceof KubeletError)) {
    // Who may ask is decided elsewhere: where that cannot be reached, nothing is wrong here.
    const { message } = error as Error;
    options.log("warn", "a request to the kubelet failed", { path: request.path, error: message });
  }
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (error instanceof KubeletError) request.text(error.message, error.status);
  else request.text("Internal Server Error", 500);
}

function tlsOptions({ certificate, clientCA }: { certificate: ServingPair; clientCA: string }) {
  return {
    cert: certificate.cert,
    key: certificate.key,
    // Named to clients, which show a certificate only where they have one of these.
    ca: clientCA,
    // Certificates are judged by authentication: who has none may have a token.
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: "TLSv1.2" as const,
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: listenHost(host), port }, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}
