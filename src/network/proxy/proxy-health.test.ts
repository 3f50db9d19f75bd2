import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import { unusedPort } from "../../host/testing/unused-port.ts";
import { type ServiceHealth, ServiceHealthServers } from "./health-servers.ts";
import { ProxyHealth } from "./proxy-health.ts";

test("a proxy is healthy while nothing waits long for the kernel", () => {
  const clock = new VirtualClock(Date.parse("2026-01-02T03:04:05.006Z"));
  const health = new ProxyHealth(clock);
  clock.advance(59_999);
  assert.equal(health.healthy, true);
  clock.advance(1);
  assert.equal(health.healthy, false, "the first rules never came");
  health.updated();
  clock.advance(3_600_000);
  assert.equal(health.healthy, true, "nothing happened");
  health.queued();
  clock.advance(59_000);
  health.queued();
  clock.advance(1000);
  assert.equal(health.healthy, false);
  assert.equal(health.answer("/livez").code, 503);
  health.updated(clock.now() - 10);
  assert.equal(health.healthy, true, "what waits now came later");
});

test("health is told as upstream tells it, and a node on its way out is not eligible", () => {
  const clock = new VirtualClock(Date.parse("2026-01-02T03:04:05.006Z"));
  const health = new ProxyHealth(clock);
  health.updated();
  assert.deepEqual(health.answer("/healthz"), {
    code: 200,
    body: '{"lastUpdated": "2026-01-02 03:04:05.006 +0000 UTC","currentTime": "2026-01-02 03:04:05.006 +0000 UTC", "nodeEligible": true}',
  });
  health.see({ taints: [{ key: "ToBeDeletedByClusterAutoscaler" }] });
  assert.deepEqual([health.answer("/healthz").code, health.answer("/livez").code], [503, 200]);
  health.see({ taints: [] });
  assert.equal(health.answer("/healthz").code, 200);
  health.see({ deletionTimestamp: "2026-01-02T03:04:05Z" });
  assert.equal(health.answer("/healthz").code, 503);
});

test("health check node ports tell how many endpoints the service has here", async () => {
  const clock = new VirtualClock();
  const health = new ProxyHealth(clock);
  const failed: number[] = [];
  const servers = new ServiceHealthServers(health, (port) => failed.push(port));
  const port = await unusedPort();
  const serve = (localEndpoints: number) =>
    servers.serve(
      new Map<number, ServiceHealth>([[port, { namespace: "ns", name: "web", localEndpoints }]]),
      ["127.0.0.1"],
    );
  const ask = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    return {
      code: response.status,
      weight: response.headers.get("x-load-balancing-endpoint-weight"),
      body: await response.text(),
    };
  };
  await serve(2);
  assert.deepEqual(await ask(), {
    code: 200,
    weight: "2",
    body: '{\n\t"service": {\n\t\t"namespace": "ns",\n\t\t"name": "web"\n\t},\n\t"localEndpoints": 2,\n\t"serviceProxyHealthy": true\n}',
  });
  await serve(0);
  assert.equal((await ask()).code, 503);
  await serve(1);
  clock.advance(60_000);
  const { code, body } = await ask();
  assert.deepEqual([code, JSON.parse(body).serviceProxyHealthy], [503, false]);
  const other = new ServiceHealthServers(health, (taken) => failed.push(taken));
  await other.serve(new Map([[port, { namespace: "ns", name: "other", localEndpoints: 1 }]]), ["127.0.0.1"]);
  assert.deepEqual(failed, [port], "a port that is taken");
  await servers.close();
  await assert.rejects(ask());
});
