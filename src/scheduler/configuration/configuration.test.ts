import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConfigurationError,
  definePlugin,
  type Plugin,
  type PluginContext,
  type PluginDeclaration,
} from "../framework/plugin.ts";
import { plugins } from "../plugins/index.ts";
import { type ReadConfiguration, readSchedulerConfiguration } from "./read-configuration.ts";
import { startProfiles } from "./start-profiles.ts";

const HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n";

function read(body: string): ReadConfiguration {
  return readSchedulerConfiguration(HEAD + body, plugins, (path) => {
    if (path === "missing") throw new Error("ENOENT: no such file");
    return `content of ${path}`;
  });
}

const plugin = (name: string, is: Plugin, more?: Partial<PluginDeclaration>): PluginDeclaration =>
  definePlugin({ name, start: () => is, ...more });

const FITS = { prepareFilter: () => undefined };
const SCORES = { prepareScore: () => undefined };

const SMALL = [
  plugin("Sort", { queueSort: () => 0 }),
  plugin("A", { ...FITS, ...SCORES }, { weight: 2 }),
  plugin("B", { ...FITS, ...SCORES }),
  plugin("C", SCORES, { weight: 5 }),
  plugin("Extra", SCORES, { offByDefault: true }),
  plugin("Bind", { bind: async () => true }),
];

/** The filters, and the scores with their weights, of the only profile. */
function started(profile: string): string {
  const { configuration } = readSchedulerConfiguration(`${HEAD}profiles:\n- ${profile}`, SMALL, () => "");
  const [only] = startProfiles(configuration, SMALL, () => ({}) as PluginContext).values();
  const { filters, scores } = only!;
  const scored = scores.map(({ name, weight }) => `${name}=${weight}`);
  return `${filters.map(({ name }) => name).join(" ")} | ${scored.join(" ")}`;
}

test("an empty configuration is upstream's defaults", () => {
  const { configuration, withoutEffect } = read("");
  assert.deepEqual(
    configuration.profiles.map(({ schedulerName }) => schedulerName),
    ["default-scheduler"],
  );
  assert.equal(configuration.podInitialBackoff, 1000);
  assert.equal(configuration.podMaxBackoff, 10_000);
  assert.equal(configuration.percentageOfNodesToScore, undefined);
  assert.deepEqual(withoutEffect, []);
});

test("a configuration says which of its fields have no effect", () => {
  assert.deepEqual(read("parallelism: 16\nleaderElection: {leaderElect: false}").withoutEffect, [
    "parallelism",
    "leaderElection",
  ]);
});

test("a configuration is refused with the path of what is wrong", () => {
  for (const [body, message] of [
    ["podsInitialBackoffSeconds: 1", 'unknown field "podsInitialBackoffSeconds"'],
    [
      "percentageOfNodesToScore: 101",
      "percentageOfNodesToScore: Invalid value: 101: not in valid range [0, 100]",
    ],
    ["podInitialBackoffSeconds: 0", "podInitialBackoffSeconds: Invalid value: 0: must be greater than 0"],
    [
      "podMaxBackoffSeconds: 1\npodInitialBackoffSeconds: 2",
      "podMaxBackoffSeconds: Invalid value: 1: must be greater than or equal to PodInitialBackoffSeconds",
    ],
    ["profiles: {}", "profiles: Invalid value: {}: must be a list"],
    ["profiles:\n- {}\n- {}", "profiles[0].schedulerName: Required value"],
    [
      "profiles:\n- {schedulerName: a}\n- {schedulerName: a}",
      'profiles[1].schedulerName: Duplicate value: "a"',
    ],
    ["profiles:\n- plugins: {score: {enable: []}}", 'unknown field "profiles[0].plugins.score.enable"'],
    ["profiles:\n- plugins: {scores: {}}", 'unknown field "profiles[0].plugins.scores"'],
    [
      "profiles:\n- plugins: {filter: {enabled: [{name: NodeName}, {name: NodeName}]}}",
      'profiles[0].plugins.filter.enabled: Invalid value: "NodeName": is given twice',
    ],
    [
      "profiles:\n- pluginConfig:\n  - name: NodeResourcesFit\n    args: {scoringStrategy: {typo: 1}}",
      'profiles[0].pluginConfig[0].args: unknown field "scoringStrategy.typo"',
    ],
    ["extenders:\n- urlPrefix: nowhere", 'extenders[0].urlPrefix: Invalid value: "nowhere": must be a URL'],
    [
      "extenders:\n- {urlPrefix: 'http://a/', prioritizeVerb: rank}",
      "extenders[0].weight: Invalid value: 0: must have a positive weight applied to it",
    ],
    [
      "extenders:\n- {urlPrefix: 'http://a/', bindVerb: b}\n- {urlPrefix: 'http://b/', bindVerb: b}",
      "extenders: Invalid value: found multiple extenders implementing bind: 2",
    ],
    [
      "extenders:\n- {urlPrefix: 'https://a/', tlsConfig: {caFile: missing}}",
      'extenders[0].tlsConfig.caFile: Invalid value: "missing": cannot be read: ENOENT: no such file',
    ],
    [
      "extenders:\n- {urlPrefix: 'https://a/', tlsConfig: {insecure: true, caFile: ca.pem}}",
      "extenders[0].tlsConfig: specifying a root certificates file with the insecure flag is not allowed",
    ],
  ] as const) {
    assert.throws(() => read(body), new ConfigurationError(message));
  }
  assert.throws(
    () => read("profiles:\n- pluginConfig: [{name: NoSuch}]"),
    /^Error: profiles\[0\]\.pluginConfig\[0\]\.name: Invalid value: "NoSuch": there is no such plugin/,
  );
  assert.throws(() => read("parallelism: 1\nparallelism: 2"), /already set/);
  assert.throws(() => readSchedulerConfiguration("kind: Pod", plugins, () => ""), ConfigurationError);
});

test("an extender is read with its defaults, its files and what it is asked for", () => {
  const { configuration } = read(`extenders:
- urlPrefix: https://ranker.example/
  prioritizeVerb: rank
  weight: 3
  httpTimeout: 250ms
  tlsConfig: {caFile: ca.pem, certData: Y2VydA==, keyFile: key.pem}
  managedResources: [{name: example.com/gpu, ignoredByScheduler: true}]
- {urlPrefix: 'https://other/', enableHTTPS: true}`);
  const [first, second] = configuration.extenders;
  assert.deepEqual(first, {
    urlPrefix: "https://ranker.example/",
    filterVerb: "",
    preemptVerb: "",
    prioritizeVerb: "rank",
    bindVerb: "",
    weight: 3,
    timeout: 250,
    nodeCacheCapable: false,
    managedResources: [{ name: "example.com/gpu", ignoredByScheduler: true }],
    ignorable: false,
    tls: {
      insecure: false,
      serverName: undefined,
      ca: "content of ca.pem",
      cert: "cert",
      key: "content of key.pem",
    },
  });
  assert.equal(second?.timeout, 5000);
  assert.deepEqual(second?.tls, { insecure: true, serverName: undefined });
  const tls = read(
    "extenders:\n- {urlPrefix: 'https://other/', tlsConfig: {serverName: name}}",
  ).configuration;
  // Held against the system's authorities.
  assert.equal(tls.extenders[0]?.tls?.insecure, false);
});

test("a profile has the default plugins, changed by what it enables and disables", () => {
  for (const [profile, expected] of [
    ["{}", "A B | A=2 B=1 C=5"],
    ["plugins: {multiPoint: {disabled: [{name: B}]}}", "A | A=2 C=5"],
    ["plugins: {multiPoint: {enabled: [{name: A, weight: 7}]}}", "A B | A=7 B=1 C=5"],
    ["plugins: {multiPoint: {enabled: [{name: Extra}]}}", "A B | A=2 B=1 C=5 Extra=1"],
    ["plugins: {score: {disabled: [{name: '*'}]}}", "A B | "],
    ["plugins: {score: {disabled: [{name: '*'}], enabled: [{name: C, weight: 9}]}}", "A B | C=9"],
    ["plugins: {score: {enabled: [{name: Extra, weight: 9}]}}", "A B | A=2 B=1 C=5 Extra=9"],
    ["plugins: {preScore: {disabled: [{name: C}]}}", "A B | A=2 B=1"],
    ["plugins: {filter: {disabled: [{name: A}]}}", "B | A=2 B=1 C=5"],
    ["plugins: {score: {enabled: [{name: B, weight: 4}]}}", "A B | B=4 A=2 C=5"],
  ] as const) {
    assert.equal(started(profile), expected, profile);
  }
});

test("a profile without a plugin that sorts or that binds is refused", () => {
  const without = (name: string): string => `plugins: {multiPoint: {disabled: [{name: ${name}}]}}`;
  assert.throws(() => started(without("Sort")), /must have exactly one queueSort plugin, and has 0/);
  assert.throws(() => started(without("Bind")), /must have a bind plugin/);
});
