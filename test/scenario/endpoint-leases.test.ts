/** Several servers over one store: the `kubernetes` Service leads to those that are alive. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Endpoints } from "../../src/api/core/endpoints.ts";
import { EndpointSlice } from "../../src/api/discovery/endpoint-slice.ts";
import { type APIServer, startAPIServer } from "../../src/apiserver/api-server.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import { ensurePKI } from "../../src/cluster/pki/ensure-pki.ts";
import { openMemory } from "../../src/store/memory/open-memory.ts";

async function keys(t: { after(done: () => Promise<void>): void }) {
  const directory = await mkdtemp(join(tmpdir(), "kybern-leases-"));
  t.after(() => rm(directory, { recursive: true }));
  const request = {
    directory,
    hostname: "host",
    dnsDomain: "cluster.local",
    serviceAddresses: ["10.96.0.1"],
  };
  return ensurePKI({ ...request, names: [], addresses: [], now: new Date() });
}

/** What leads to the servers, by both kinds that say so. */
function shown({ registry }: APIServer): string[] {
  const { reader } = registry.ports;
  const slice = reader.get(EndpointSlice, "default", "kubernetes");
  const { subsets = [] } = reader.get(Endpoints, "default", "kubernetes") ?? {};
  const addresses = slice?.endpoints?.flatMap((endpoint) => endpoint.addresses) ?? [];
  assert.deepEqual(
    subsets.flatMap((subset) => subset.addresses ?? []).map(({ ip }) => ip),
    addresses,
  );
  assert.deepEqual(subsets[0]?.ports, slice?.ports);
  return addresses;
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 200; i++) await new Promise((resolve) => setImmediate(resolve));
};

test("the kubernetes Service leads to every server that is alive, and to none that stopped or died", async (t) => {
  const pki = await keys(t);
  const time = new VirtualClock();
  const store = await openMemory({ clock: time });
  const start = async (address: string, clock: VirtualClock): Promise<APIServer> => {
    const server = await startAPIServer({
      store,
      clock,
      credentials: {
        clientCA: pki.ca.certificate,
        frontProxyCA: pki.frontProxyCA.certificate,
        serviceAccountPrivateKey: pki.serviceAccount.privateKey,
      },
      settings: {
        serviceCIDRs: ["10.96.0.0/12"],
        nodePortRange: { from: 30000, to: 32767 },
        dnsDomain: "cluster.local",
      },
      sharedStore: true,
      log: (level, text, facts) => assert.notEqual(level, "error", `${text} ${JSON.stringify(facts)}`),
    });
    await server.advertise({ address, port: 6443 });
    return server;
  };
  const first = await start("192.168.7.1", time);
  assert.deepEqual(shown(first), ["192.168.7.1"]);
  const second = await start("192.168.7.2", time);
  assert.deepEqual(shown(first), ["192.168.7.1", "192.168.7.2"]);
  // Its own time stands still from now on: it renews nothing, as if it had been killed.
  await start("192.168.7.3", new VirtualClock());
  assert.deepEqual(shown(first), ["192.168.7.1", "192.168.7.2", "192.168.7.3"]);
  for (let seconds = 0; seconds < 30; seconds += 5) {
    time.advance(5000);
    await turns();
  }
  assert.deepEqual(shown(first), ["192.168.7.1", "192.168.7.2"]);
  second.drain();
  await second.close();
  assert.deepEqual(shown(first), ["192.168.7.1"]);
  await first.close();
  assert.deepEqual(shown(first), ["192.168.7.1"], "the last leaves it as it is");
});
