import { createSocket } from "node:dgram";
import { createServer, isIPv6 } from "node:net";

/**
 * Whether nothing of this machine listens at the address, which is one of its own. Of protocols that Node does not speak
 * nothing is known, and they are free.
 */
export function isPortFree(protocol: string, port: number, address = "0.0.0.0"): Promise<boolean> {
  if (port === 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    if (protocol === "tcp") {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen(port, address, () => server.close(() => resolve(true)));
    } else if (protocol === "udp") {
      const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
      socket.once("error", () => {
        socket.close();
        resolve(false);
      });
      socket.bind(port, address, () => socket.close(() => resolve(true)));
    } else resolve(true);
  });
}
