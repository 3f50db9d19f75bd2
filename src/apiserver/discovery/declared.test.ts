import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { coreResources } from "../../api/core/index.ts";
import { aggregatedDiscovery } from "./aggregated.ts";
import { discoverGroups } from "./groups.ts";

const reference = new URL("../../../../shared/reference/discovery/", import.meta.url);
const skip = existsSync(reference) ? false : "the reference data is not beside the checkout";

describe("core kinds", () => {
  test("say of themselves what the reference's discovery says", { skip }, () => {
    const lists = ["api__v1.json", "aggregated_v2.json"].map((name) =>
      JSON.parse(readFileSync(new URL(name, reference), "utf8")),
    );
    const wanted = new Map<string, Record<string, unknown>>(
      lists[0].resources.map((r: { name: string }) => [r.name, r]),
    );
    const groups = discoverGroups(coreResources);
    const core = groups.find(({ name }) => name === "");
    assert.ok(core?.versions[0]);
    for (const found of core.versions[0].resources) {
      const { kind, singularName, namespaced, verbs, shortNames, categories } =
        wanted.get(found.plural) ?? {};
      assert.deepEqual(
        [found.kind, found.singular, found.namespaced, found.verbs, found.shortNames, found.categories],
        [kind, singularName, namespaced, verbs, shortNames ?? [], categories ?? []],
      );
      const below = [...wanted.keys()].filter((name) => name.startsWith(`${found.plural}/`)).sort();
      assert.deepEqual(
        found.subresources.map(({ name }) => `${found.plural}/${name}`),
        below,
      );
      for (const { name, verbs: own } of found.subresources) {
        assert.deepEqual(own, wanted.get(`${found.plural}/${name}`)?.verbs);
      }
    }
    const events = aggregatedDiscovery(
      groups.filter(({ name }) => name === "events.k8s.io"),
      "v2",
    ).items[0];
    const wantedEvents = lists[1].items.find(
      (i: { metadata: { name: string } }) => i.metadata.name === "events.k8s.io",
    );
    assert.deepEqual(events, wantedEvents);
  });
});
