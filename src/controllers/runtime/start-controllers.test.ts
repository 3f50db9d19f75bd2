import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigMap } from "../../api/core/config-map.ts";
import { VirtualClock } from "../../base/clock.ts";
import { openClient } from "../../client/client.ts";
import { silentRecorder } from "../../client/events/event-recorder.ts";
import type { WriteObserver } from "../../client/resource-client.ts";
import { FakeServer } from "../../client/testing/fake-server.ts";
import { InProcessTransport } from "../../client/transports/in-process-transport.ts";
import { type Controller, defineController, input, type Reconciler } from "./controller.ts";
import { startControllers } from "./start-controllers.ts";

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function controller(name: string, start: () => Reconciler): Controller {
  return defineController<{ maps: ConfigMap }>({
    name,
    account: name,
    inputs: { maps: input(ConfigMap, ({ key }) => [key]) },
    start,
  });
}

function setUp(controllers: readonly Controller[]) {
  const server = new FakeServer();
  const clock = new VirtualClock();
  const client = openClient(new InProcessTransport(server.dispatch));
  const accounts: string[] = [];
  const logged: string[] = [];
  const writes: WriteObserver[] = [];
  const begin = () =>
    startControllers(controllers, {
      client,
      clientOf: (account, wrote) => {
        accounts.push(account);
        writes.push(wrote);
        return client;
      },
      clock,
      random: () => 0,
      settings: { rootCA: "", clusterCIDRs: [], serviceCIDRs: [], loadBalancerRanges: [] },
      eventsOf: () => silentRecorder,
      log: (level, text, facts) => logged.push(`${level} ${text} ${facts?.controller} ${facts?.error}`),
    });
  return { server, clock, accounts, logged, writes, begin };
}

test("controllers share one watch, and each works on every object", async () => {
  const worked: string[] = [];
  const names = ["a", "b"];
  const { server, accounts, begin } = setUp(
    names.map((name) =>
      controller(name, () => async (key) => {
        worked.push(`${name} ${key}`);
        return undefined;
      }),
    ),
  );
  server.put("one", "1");
  const running = begin();
  await settled();
  server.put("two", "1");
  await settled();
  assert.deepEqual(worked.sort(), ["a default/one", "a default/two", "b default/one", "b default/two"]);
  assert.equal(server.watching, 1);
  assert.deepEqual(accounts, names);
  await running.stop();
  assert.equal(server.watching, 0);
});

test("a controller that fails at its start or at work leaves the others alone", async () => {
  const worked: string[] = [];
  const { server, clock, logged, begin } = setUp([
    controller("broken", () => {
      throw new Error("no start");
    }),
    controller("failing", () => async () => {
      throw new Error("no work");
    }),
    controller("well", () => async (key) => {
      worked.push(key);
      return undefined;
    }),
  ]);
  server.put("one", "1");
  const running = begin();
  for (let i = 0; i < 40; i++) {
    await settled();
    clock.advance(1);
  }
  assert.deepEqual(worked, ["default/one"]);
  assert.deepEqual(logged, [
    "error a controller did not start broken no start",
    "warn a controller failed and will retry failing no work",
    "warn a controller failed and will retry failing no work",
  ]);
  await running.stop();
  assert.equal(clock.pending, 0);
});

test("a controller works on nothing before all its inputs have their whole picture", async () => {
  let worked = 0;
  const { server, clock, begin } = setUp([
    controller("early", () => async () => {
      worked++;
      return undefined;
    }),
  ]);
  server.put("one", "1");
  server.refusal = { status: 503, body: "not yet" };
  const running = begin();
  await settled();
  assert.equal(worked, 0);
  server.refusal = undefined;
  clock.advance(60_000);
  await settled();
  assert.equal(worked, 1);
  await running.stop();
});

test("controllers stop though a controller waits to see what it wrote", async () => {
  const worked: string[] = [];
  const { server, writes, begin } = setUp([
    controller("writer", () => async (key) => {
      worked.push(key);
      writes[0]?.wrote(ConfigMap, { metadata: { name: "far", resourceVersion: "1000" } } as ConfigMap);
      return undefined;
    }),
  ]);
  server.put("one", "1");
  const running = begin();
  await settled();
  server.put("two", "1");
  await settled();
  assert.deepEqual(worked, ["default/one"]);
  await running.stop();
  assert.deepEqual(worked, ["default/one"]);
});
