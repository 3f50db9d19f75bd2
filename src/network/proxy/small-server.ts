import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

export interface Address {
  /** Absent: every address of the machine, of both families where it has both. */
  host?: string;
  /** 0: any that is free. */
  port: number;
}

/** It does not keep the process alive. */
export interface SmallServer {
  readonly port: number;
  /** Cuts who is connected. */
  close(): Promise<void>;
}

/** Rejects where the address cannot be had. */
export async function openServer(listener: RequestListener, { host, port }: Address): Promise<SmallServer> {
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.removeListener("error", reject);
      server.unref();
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
