/** Carries connections from one network namespace to another, by way of a unix socket, which all see. */
import { type AddressInfo, createConnection, createServer, type NetConnectOpts, type Server } from "node:net";

/** Returns the port, where a free one was asked for. */
export function relay(
  from: { path: string } | { port: number; host: string },
  to: NetConnectOpts,
): Promise<{ port: number; close(): void }> {
  const server: Server = createServer((incoming) => {
    const outgoing = createConnection(to);
    incoming.pipe(outgoing).pipe(incoming);
    incoming.on("error", () => outgoing.destroy());
    outgoing.on("error", () => incoming.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(from, () => {
      const address = server.address();
      resolve({
        port: typeof address === "string" ? 0 : (address as AddressInfo).port,
        close: () => server.close(),
      });
    });
  });
}
