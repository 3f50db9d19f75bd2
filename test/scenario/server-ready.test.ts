import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Pod } from "../../src/api/core/pods.ts";
import { ServiceAccount } from "../../src/api/core/service-account.ts";
import { systemClock } from "../../src/base/clock.ts";
import { openClient } from "../../src/client/client.ts";
import { readConnection } from "../../src/client/kubeconfig/connection.ts";
import { HTTPSTransport } from "../../src/client/transports/https-transport.ts";

const PROGRAM = fileURLToPath(new URL("../../src/main/kybern.ts", import.meta.url));

async function startServer(directory: string) {
  const args = [
    PROGRAM,
    "server",
    "--data-dir",
    directory,
    "--secure-port",
    "0",
    "--bind-address",
    "127.0.0.1",
  ];
  const server = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  const said: string[] = [];
  for await (const line of createInterface({ input: server.stderr })) {
    said.push(line);
    if (/ info ready /.test(line)) break;
  }
  assert.match(said.at(-1) ?? "", / info ready /, said.join("\n"));
  server.stderr.resume();
  const connection = await readConnection(join(directory, "admin.conf"));
  const transport = new HTTPSTransport({ ...connection, clock: systemClock });
  const client = openClient(transport);
  return {
    client,
    async stop() {
      await client.close();
      const exited = once(server, "exit");
      server.kill("SIGTERM");
      return (await exited)[0] as number;
    },
  };
}

test("a server that says ready takes pods at once, and again after it was started anew", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "kybern-ready-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const containers = [{ name: "web", image: "web:1" }];
  let uid: string | undefined;
  for (const name of ["first", "second"]) {
    const { client, stop } = await startServer(directory);
    const pod = await client.resource(Pod, "default").create({ metadata: { name }, spec: { containers } });
    assert.equal(pod.spec?.serviceAccountName, "default");
    const account = await client.resource(ServiceAccount, "default").get("default");
    uid ??= account.metadata.uid;
    assert.equal(account.metadata.uid, uid);
    assert.equal(await stop(), 0);
  }
});
