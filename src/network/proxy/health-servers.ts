/** Small servers that tell load balancers about this node: a port of the proxy, and one of each service that has its own. */
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ProxyHealth } from "./proxy-health.ts";

const HEADERS = { "Content-Type": "application/json", "X-Content-Type-Options": "nosniff" };

export type HealthAsked = (path: "/healthz" | "/livez", code: number) => void;

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function serveProxyHealth(
  health: ProxyHealth,
  { host, port }: { host: string; port: number },
  asked: HealthAsked,
): Promise<HealthServer> {
  const server = createServer(({ url = "/" }, response) => {
    const [path = ""] = url.split("?");
    if (path !== "/healthz" && path !== "/livez") {
      answer(response, 404, "404 page not found\n");
      return;
    }
    const { code, body } = health.answer(path);
    asked(path, code);
    answer(response, code, body);
  });
  await listen(server, port, host);
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

export interface ServiceHealth {
  namespace: string;
  name: string;
  localEndpoints: number;
}

/** The servers of `healthCheckNodePort`s. */
export class ServiceHealthServers {
  private readonly health: ProxyHealth;
  private readonly failed: (port: number, error: unknown) => void;
  private readonly servers = new Map<string, Server>();
  private wanted = new Map<number, ServiceHealth>();

  constructor(health: ProxyHealth, failed: (port: number, error: unknown) => void) {
    this.health = health;
    this.failed = failed;
  }

  /** Opens and closes ports so that each of `hosts` serves these. What cannot be opened is tried at the next call. */
  async serve(wanted: Map<number, ServiceHealth>, hosts: readonly string[]): Promise<void> {
    this.wanted = wanted;
    const places = new Map<string, { port: number; host: string }>();
    for (const port of wanted.keys()) for (const host of hosts) places.set(`${host} ${port}`, { port, host });
    const gone = [...this.servers].filter(([place]) => !places.has(place));
    for (const [place] of gone) this.servers.delete(place);
    await Promise.all(gone.map(([, server]) => close(server)));
    for (const [place, { port, host }] of places) {
      if (this.servers.has(place)) continue;
      const server = createServer((_, response) => this.answer(port, response));
      try {
        await listen(server, port, host);
        this.servers.set(place, server);
      } catch (error) {
        this.failed(port, error);
      }
    }
  }

  async close(): Promise<void> {
    await this.serve(new Map(), []);
  }

  private answer(port: number, response: ServerResponse): void {
    const service = this.wanted.get(port);
    if (!service) {
      answer(response, 503, "");
      return;
    }
    const { namespace, name, localEndpoints } = service;
    const { healthy } = this.health;
    response.setHeader("X-Load-Balancing-Endpoint-Weight", String(localEndpoints));
    const body = { service: { namespace, name }, localEndpoints, serviceProxyHealthy: healthy };
    answer(response, localEndpoints > 0 && healthy ? 200 : 503, JSON.stringify(body, undefined, "\t"));
  }
}

function answer(response: ServerResponse, code: number, body: string): void {
  response.writeHead(code, HEADERS).end(body);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      server.unref();
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
