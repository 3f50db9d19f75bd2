/** Servers that tell load balancers how many endpoints of a service this node has. */
import type { ServerResponse } from "node:http";
import type { ProxyHealth } from "./proxy-health.ts";
import { openServer, type SmallServer } from "./small-server.ts";

const HEADERS = { "Content-Type": "application/json", "X-Content-Type-Options": "nosniff" };

export interface ServiceHealth {
  namespace: string;
  name: string;
  localEndpoints: number;
}

/** The servers of `healthCheckNodePort`s. */
export class ServiceHealthServers {
  private readonly health: ProxyHealth;
  private readonly failed: (port: number, error: unknown) => void;
  private readonly servers = new Map<string, SmallServer>();
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
    await Promise.all(gone.map(([, server]) => server.close()));
    for (const [place, { port, host }] of places) {
      if (this.servers.has(place)) continue;
      try {
        const server = await openServer((_, response) => this.answer(port, response), { host, port });
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
