/** What /metrics and /metrics/slis serve, against the reference list of names, types, labels and buckets. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { NAMESPACED, startTestServer } from "./rest/harness.ts";

interface Listed {
  name: string;
  subsystem?: string;
  namespace?: string;
  type: string;
  stabilityLevel: string;
  labels?: string[];
  buckets?: number[];
}

interface Family {
  type: string;
  stability: string;
  labels: Set<string>;
  buckets: Set<number>;
}

const LIST = new URL("../../../shared/reference/stable-metrics-list.yaml", import.meta.url);
const skip = existsSync(LIST) ? false : "the reference list of metrics is absent";

/** Metrics of an API server that are not served, and why. */
const ABSENT: Readonly<Record<string, string>> = {
  apiserver_admission_webhook_admission_duration_seconds: "webhooks are not called",
  apiserver_authentication_config_controller_automatic_reload_last_timestamp_seconds: "no such file is read",
  apiserver_authentication_config_controller_automatic_reloads_total: "no such file is read",
  apiserver_authorization_config_controller_automatic_reload_last_timestamp_seconds: "no such file is read",
  apiserver_authorization_config_controller_automatic_reloads_total: "no such file is read",
  apiserver_cel_compilation_duration_seconds: "CEL is not evaluated",
  apiserver_cel_evaluation_duration_seconds: "CEL is not evaluated",
  apiserver_flowcontrol_current_executing_requests: "there is no priority and fairness",
  apiserver_flowcontrol_current_executing_seats: "there is no priority and fairness",
  apiserver_flowcontrol_current_inqueue_requests: "there is no priority and fairness",
  apiserver_flowcontrol_dispatched_requests_total: "there is no priority and fairness",
  apiserver_flowcontrol_nominal_limit_seats: "there is no priority and fairness",
  apiserver_flowcontrol_rejected_requests_total: "there is no priority and fairness",
  apiserver_flowcontrol_request_wait_duration_seconds: "there is no priority and fairness",
  apiserver_validating_admission_policy_check_duration_seconds: "policies are not evaluated",
  apiserver_validating_admission_policy_check_total: "policies are not evaluated",
  apiserver_validation_declarative_validation_mismatch_total: "there is one validation, not two",
  apiserver_validation_declarative_validation_panic_total: "there is one validation, not two",
  kubernetes_feature_enabled: "there are no feature gates",
};

function families(text: string): Map<string, Family> {
  const found = new Map<string, Family>();
  let stability = "";
  let name = "";
  for (const line of text.split("\n")) {
    const help = /^# HELP (\S+) (?:\[(\w+)\])?/.exec(line);
    if (help) [, name = "", stability = ""] = help;
    const typed = /^# TYPE (\S+) (\S+)/.exec(line);
    if (typed) found.set(name, { type: typed[2]!, stability, labels: new Set(), buckets: new Set() });
    if (line.startsWith("#")) continue;
    const family = found.get(name);
    for (const [, label = "", value = ""] of line.matchAll(/([a-z_]+)="([^"]*)"/g)) {
      if (label !== "le") family?.labels.add(label);
      else if (value !== "+Inf") family?.buckets.add(Number(value));
    }
  }
  return found;
}

test("metrics have upstream's names, types, stability, labels and buckets", { skip }, async (t) => {
  await using server = await startTestServer();
  await server.get("/readyz");
  await server.get("/api/v1/componentstatuses");
  await server.ask("POST", `${NAMESPACED}/pods`, { body: { metadata: { name: "x", namespace: "default" } } });
  await server.create(`${NAMESPACED}/configmaps`, { metadata: { name: "x" } });
  await server.ask("POST", "/api/v1/namespaces/nowhere/configmaps", { body: { metadata: { name: "x" } } });
  const list = "watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan";
  const watch = server.watch(`${NAMESPACED}/configmaps?${list}`);
  await watch.take(2);
  const metrics = await server.get("/metrics");
  const slis = await server.get("/metrics/slis");
  watch.close();
  assert.equal(metrics.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  const served = new Map([...families(metrics.text), ...families(slis.text)]);
  const reference = parse(readFileSync(LIST, "utf8")) as Listed[];
  let compared = 0;
  for (const { namespace, subsystem, name, type, stabilityLevel, labels = [], buckets = [] } of reference) {
    const full = [namespace, subsystem, name].filter(Boolean).join("_");
    const own = served.get(full);
    if (!own) {
      if (/^(apiserver|kubernetes)_/.test(full)) {
        assert.ok(ABSENT[full], `${full} is neither served nor listed as absent`);
        t.diagnostic(`${full} is not served: ${ABSENT[full]}`);
      }
      continue;
    }
    compared++;
    assert.ok(!ABSENT[full], `${full} is served`);
    assert.equal(own.stability, stabilityLevel, full);
    assert.equal(own.type, type === "Custom" ? "gauge" : type.toLowerCase(), full);
    assert.deepEqual([...own.labels].sort(), [...labels].sort(), full);
    assert.deepEqual([...own.buckets], buckets, full);
  }
  assert.equal(compared, 15);
});

test("metrics do not grow with what clients make up", async () => {
  await using server = await startTestServer();
  const size = async () =>
    (await server.get("/metrics")).text
      .split("\n")
      .filter((line) => line.startsWith("apiserver_request_total")).length;
  const ask = (i: number) => [
    server.ask(`METHOD${i}`, "/"),
    server.ask("constructor", `/api/v1/things${i}`),
    server.get(`/apis/group${i}.example.com/v1/things`),
    server.get(`/path/${i}`),
    server.get(`${NAMESPACED}/configmaps/none${i}/part${i}`),
  ];
  await Promise.all(ask(0));
  await size();
  const before = await size();
  for (let i = 1; i < 50; i++) await Promise.all(ask(i));
  assert.equal(await size(), before);
});

test("metrics tell of all CPU that the process used", async () => {
  const { user } = process.cpuUsage();
  await using server = await startTestServer();
  const { text } = await server.get("/metrics");
  const told = Number(/^process_cpu_user_seconds_total (\S+)$/m.exec(text)?.[1]);
  assert.ok(told >= user / 1e6, `${told} s of at least ${user / 1e6}`);
});
