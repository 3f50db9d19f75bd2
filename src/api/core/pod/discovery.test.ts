import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { appsResources } from "../../apps/index.ts";
import { autoscalingResources } from "../../autoscaling/index.ts";
import { batchResources } from "../../batch/index.ts";
import type { Resource, Subresource } from "../../resource.ts";
import { podResources } from "../pods.ts";

const folder = new URL("../../../../../shared/reference/discovery/", import.meta.url);
const skip = existsSync(folder) ? false : "the reference data is not beside the checkout";

interface Listed {
  name: string;
  kind: string;
  singularName: string;
  namespaced: boolean;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  group?: string;
  version?: string;
}

function kindOf(resource: Resource, sub: Subresource<never>): Partial<Listed> {
  if (sub.acts === "scale") return { group: "autoscaling", version: "v1", kind: "Scale" };
  if (sub.acts === "connect") return { kind: sub.kind };
  if (sub.acts === "update") return { kind: resource.kind };
  const { group, version, kind } = sub.kind;
  return group === "" ? { kind } : { group, version, kind };
}

function listed(resource: Resource): Listed[] {
  const { kind, plural, singular, verbs, shortNames, categories } = resource;
  const own: Listed = { name: plural, kind, singularName: singular, namespaced: true, verbs: [...verbs] };
  if (shortNames.length > 0) own.shortNames = [...shortNames];
  if (categories.length > 0) own.categories = [...categories];
  const subs = Object.entries(resource.subresources).map(([name, sub]) => {
    const verbs =
      sub.acts === "create" ? ["create"] : sub.acts === "scale" ? ["get", "patch", "update"] : sub.verbs;
    const known = kindOf(resource, sub as Subresource<never>);
    return {
      name: `${plural}/${name}`,
      singularName: "",
      namespaced: true,
      verbs: [...verbs],
      ...known,
    } as Listed;
  });
  return [own, ...subs];
}

const FILES: [string, readonly unknown[]][] = [
  ["api__v1.json", podResources],
  ["apis__apps__v1.json", appsResources],
  ["apis__batch__v1.json", batchResources],
  ["apis__autoscaling__v2.json", autoscalingResources],
  ["apis__autoscaling__v1.json", autoscalingResources],
];

for (const [file, resources] of FILES) {
  test(`the declarations give what discovery says in ${file}`, { skip }, () => {
    const mine = (resources as Resource[]).flatMap(listed).sort((a, b) => (a.name < b.name ? -1 : 1));
    const plurals = new Set(mine.map(({ name }) => name.split("/")[0]));
    const all = JSON.parse(readFileSync(new URL(file, folder), "utf8")).resources as (Listed & {
      storageVersionHash?: string;
    })[];
    const theirs = all
      .filter(({ name }) => plurals.has(name.split("/")[0]))
      .map(({ storageVersionHash: _, ...rest }) => rest);
    assert.deepEqual(mine, theirs);
  });
}
