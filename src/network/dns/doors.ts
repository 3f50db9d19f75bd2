/** Where questions come in: at the node's addresses, and at those of the Service. */
import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { RunCommand } from "../../host/command.ts";
import { openNft } from "../../host/nftables/nft.ts";
import { type OwnedTable, openOwnedTable } from "../../host/nftables/owned-table.ts";
import type { Clients } from "./clients.ts";
import type { DNSMetrics } from "./dns-metrics.ts";
import type { DNSNames, DNSOptions } from "./dns-options.ts";
import { type Listening, listen } from "./server/listen.ts";
import type { Answered, Protocol, Responder } from "./server/responder.ts";
import { addAddresses, removeAddresses, untracked } from "./service-addresses.ts";

const DNS_PORT_NUMBER = 53;

export interface DoorsOptions extends Pick<DNSOptions, "nodeIPs" | "clusterDNS" | "clock" | "log"> {
  names: DNSNames;
  run: RunCommand;
  clients: Clients;
  responder: Responder;
  metrics: DNSMetrics;
}

export class Doors {
  private readonly options: DoorsOptions;
  private readonly listening: Map<string, Listening> = new Map();
  private readonly metricsServers = new Map<string, Server>();
  private readonly wasOpened = Promise.withResolvers<void>();
  private readonly table: OwnedTable;
  /** Whether the table was made once. */
  private isMarked = false;
  /** Whether another program has the port. */
  private isBlocked = false;

  constructor(options: DoorsOptions) {
    this.options = options;
    const { names, run } = options;
    const token = randomBytes(6).toString("hex");
    this.table = openOwnedTable({ nft: openNft({ run }), name: names.table, base: {}, token });
  }

  /** Whether figures are shown anywhere. */
  get hasMetrics(): boolean {
    return this.metricsServers.size > 0;
  }

  /** Resolves when questions are taken at all addresses that can be. */
  get opened(): Promise<void> {
    return this.wasOpened.promise;
  }

  /** Again after it failed half way: what is open stays. */
  async open(): Promise<void> {
    const { nodeIPs, names } = this.options;
    const { port, metricsPort } = names;
    for (const address of firstOfEach(nodeIPs)) {
      await this.listen(address, port);
      await this.serveMetrics(address, metricsPort);
    }
    await this.takeServiceAddresses();
    this.wasOpened.resolve();
  }

  async close(): Promise<void> {
    const { clusterDNS, run } = this.options;
    // First, so that what is asked meanwhile goes by the rules of the Service.
    await this.table.remove().catch(() => {});
    await removeAddresses(run, clusterDNS).catch(() => {});
    await Promise.all([...this.listening.values()].map((listening) => listening.close()));
    for (const server of this.metricsServers.values()) {
      server.close();
      server.closeAllConnections();
    }
  }

  /** Any number of times: what somebody took away comes back. */
  private async takeServiceAddresses(): Promise<void> {
    const { clusterDNS, run, log } = this.options;
    if (this.isBlocked) return;
    await addAddresses(run, clusterDNS);
    try {
      for (const address of clusterDNS) await this.listen(address, DNS_PORT_NUMBER);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE") throw error;
      // The Service leads to the node's own address nevertheless.
      await removeAddresses(run, clusterDNS);
      log("warn", "port 53 is taken by another program on all addresses: DNS works by its Service alone");
      this.isBlocked = true;
      return;
    }
    if (this.isMarked && !(await this.table.isOurs())) this.table.distrust();
    this.table.claim("dns", untracked(clusterDNS));
    await this.table.sync();
    this.isMarked = true;
  }

  private async listen(address: string, port: number): Promise<void> {
    const key = `${address} ${port}`;
    if (this.listening.has(key)) return;
    const family = address.includes(":") ? "2" : "1";
    const answered = { udp: this.answering("udp", family), tcp: this.answering("tcp", family) };
    const { clock } = this.options;
    const listening = await listen({
      address,
      port,
      clock,
      mayAsk: this.options.clients.mayAsk,
      respond: (message, protocol) => answered[protocol](message),
    });
    this.listening.set(key, listening);
  }

  private answering(protocol: Protocol, family: "1" | "2") {
    const { metrics, responder } = this.options;
    const from = { protocol, family };
    return (message: Uint8Array): Buffer | undefined | Promise<Buffer | undefined> => {
      const began = performance.now();
      const told = (answered: Answered | undefined): Buffer | undefined => {
        if (!answered) return undefined;
        metrics.observe(answered, message.length, from, (performance.now() - began) / 1000);
        return answered.message;
      };
      const answer = responder.respond(message, protocol);
      return answer instanceof Promise ? answer.then(told) : told(answer);
    };
  }

  private async serveMetrics(address: string, port: number): Promise<void> {
    if (this.metricsServers.has(address)) return;
    const server = createServer((request, response) => {
      if (request.url !== "/metrics") response.writeHead(404).end();
      else
        response
          .writeHead(200, { "content-type": "text/plain; version=0.0.4" })
          .end(this.options.metrics.exposition());
    });
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, address, resolve);
      });
    } catch (error) {
      // Names are worth more than figures.
      this.options.log("warn", "DNS cannot show its figures", { error: String(error) });
      return;
    }
    this.metricsServers.set(address, server);
  }
}

/** One address of each family. */
function firstOfEach(addresses: readonly string[]): string[] {
  const isV6 = (address: string): boolean => address.includes(":");
  return [addresses.find((address) => !isV6(address)), addresses.find(isV6)].filter(
    (found) => found !== undefined,
  );
}
