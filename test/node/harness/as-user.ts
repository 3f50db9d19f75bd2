/** A cluster in which a test acts as anybody: in requests of an administrator who may. */
import type { VirtualClock } from "../../../src/base/clock.ts";
import { type Client, openClient } from "../../../src/client/client.ts";
import type { Transport } from "../../../src/client/transport.ts";
import { startCluster } from "../../../src/testing/index.ts";

export async function clusterOfUsers(clock: VirtualClock) {
  let transport: Transport | undefined;
  const between = (given: Transport): Transport => {
    transport = given;
    return given;
  };
  // That of the simulated nodes, of which there are none, is the administrator's; it comes last.
  const cluster = await startCluster({ clock, nodes: [], between });
  return { cluster, transport: transport! };
}

export function asUser(transport: Transport, name: string, group: string): Client {
  const headers = { "impersonate-user": name, "impersonate-group": group };
  return openClient({
    lasting: transport.lasting,
    request: (request) => transport.request({ ...request, headers: { ...request.headers, ...headers } }),
    stream: (request) => transport.stream({ ...request, headers: { ...request.headers, ...headers } }),
    close: async () => {},
  });
}
