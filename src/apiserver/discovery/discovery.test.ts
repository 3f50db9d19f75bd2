import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { KubeObject } from "../../api/object.ts";
import {
  defineResource,
  type Resource,
  STANDARD_VERBS,
  type Subresource,
  type Verb,
} from "../../api/resource.ts";
import { makeDiscovery } from "./discovery.ts";
import type { APIResource } from "./documents.ts";
import { compareVersions } from "./groups.ts";

const reference = new URL("../../../../shared/reference/discovery/", import.meta.url);
const skip = existsSync(reference) ? false : "the reference data is not beside the checkout";

interface Listed {
  groupVersion: string;
  resources: APIResource[];
}

/** Declarations that say what the reference's lists say, so that the round trip tests the printing alone. */
function declarationsOf(lists: Listed[]): Resource<KubeObject>[] {
  const all: Resource<KubeObject>[] = [];
  for (const { groupVersion, resources } of lists) {
    const slash = groupVersion.indexOf("/");
    const served = {
      group: slash < 0 ? "" : groupVersion.slice(0, slash),
      version: groupVersion.slice(slash + 1),
    };
    for (const listed of resources.filter(({ name }) => !name.includes("/"))) {
      const subresources: Record<string, Subresource<KubeObject>> = {};
      for (const below of resources.filter(({ name }) => name.startsWith(`${listed.name}/`))) {
        const kind = {
          group: below.group ?? served.group,
          version: below.version ?? served.version,
          kind: below.kind,
        };
        const verbs = below.verbs as ("create" | "delete" | "get" | "patch" | "update")[];
        subresources[below.name.slice(listed.name.length + 1)] =
          below.version !== undefined && below.kind !== "Scale"
            ? { acts: "create", kind, definition: "", create: async (_, body) => body }
            : { acts: "connect", verbs, kind: below.kind };
        if (below.kind === "Scale") subresources[below.name.slice(listed.name.length + 1)] = scale;
      }
      all.push(
        defineResource({
          ...served,
          kind: listed.kind,
          plural: listed.name,
          singular: listed.singularName,
          scope: listed.namespaced ? "Namespaced" : "Cluster",
          shortNames: listed.shortNames ?? [],
          categories: listed.categories ?? [],
          definition: "",
          verbs: listed.verbs as Verb[],
          virtual: listed.storageVersionHash === undefined ? {} : undefined,
          subresources,
        }),
      );
    }
  }
  return all;
}

const scale: Subresource<KubeObject> = {
  acts: "scale",
  replicas: () => 0,
  setReplicas: () => {},
  statusReplicas: () => 0,
  selector: () => "",
  replicasPath: "",
};

function read(name: string): Record<string, unknown> {
  return JSON.parse(readFileSync(new URL(name, reference), "utf8"));
}

function sorted(list: Listed): Listed {
  // The reference names some shortNames and categories as empty lists where they are absent.
  return { ...list, resources: [...list.resources].sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

function referenceDiscovery() {
  const files = readdirSync(reference).filter((name) => /^(api|apis__.+)__v[^_]+\.json$/.test(name));
  const lists = files.map((name) => read(name) as unknown as Listed);
  return { files, discovery: makeDiscovery(declarationsOf(lists)) };
}

const ask = { serverAddress: "10.10.10.10:8050" };

function bodyOf(answer: { body?: Uint8Array } | undefined): unknown {
  assert.ok(answer?.body, "no document");
  return JSON.parse(Buffer.from(answer.body).toString());
}

describe("discovery", () => {
  test("lists every group version of the reference as it does, but for storage hashes", { skip }, () => {
    const { files, discovery } = referenceDiscovery();
    assert.ok(files.length > 25);
    for (const file of files) {
      const path = `/${file.replace(/\.json$/, "").replaceAll("__", "/")}`;
      const withoutHash = (list: Listed) => ({
        ...list,
        resources: list.resources.map(({ storageVersionHash: _, ...rest }) => rest),
      });
      const ours = withoutHash(sorted(bodyOf(discovery.answer({ path, ...ask })) as Listed));
      assert.deepEqual(ours, withoutHash(sorted(read(file) as unknown as Listed)), path);
    }
  });

  test("hashes the stored version of core kinds as the reference does", { skip }, () => {
    const { discovery } = referenceDiscovery();
    assert.deepEqual(
      bodyOf(discovery.answer({ path: "/api/v1", ...ask })),
      sorted(read("api__v1.json") as never),
    );
  });

  test("ranks groups and versions as the reference does", { skip }, () => {
    const { discovery } = referenceDiscovery();
    assert.deepEqual(bodyOf(discovery.answer({ path: "/api", ...ask })), read("api.json"));
    assert.deepEqual(bodyOf(discovery.answer({ path: "/apis/", ...ask })), read("apis.json"));
    for (const name of ["apps", "autoscaling", "resource.k8s.io"]) {
      const ours = bodyOf(discovery.answer({ path: `/apis/${name}`, ...ask }));
      assert.deepEqual(ours, read(`apis__${name}.json`));
    }
  });

  test("tells the same in one document when the client accepts it", { skip }, () => {
    const { discovery } = referenceDiscovery();
    const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    const answer = discovery.answer({ path: "/apis", accept, ...ask });
    assert.equal(
      answer?.headers["Content-Type"],
      "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    );
    const wanted = read("aggregated_v2.json") as { items: unknown[] };
    const ours = bodyOf(answer) as { items: unknown[] };
    assert.deepEqual(ours.items, wanted.items);
    const etag = answer?.headers.ETag;
    assert.equal(discovery.answer({ path: "/apis", accept, ifNoneMatch: etag, ...ask })?.status, 304);
    const beta = accept.replace("v=v2", "v=v2beta1");
    const older = bodyOf(discovery.answer({ path: "/api", accept: beta, ...ask })) as { apiVersion: string };
    assert.equal(older.apiVersion, "apidiscovery.k8s.io/v2beta1");
  });

  test("serves a kind of another group version through its alternate with the stored version's hash", () => {
    const hello = defineResource<KubeObject>({
      group: "b.example",
      version: "v1",
      kind: "Hello",
      plural: "hellos",
      scope: "Namespaced",
      definition: "x",
      alternates: [
        {
          group: "a.example",
          version: "v1beta1",
          kind: "Hello",
          definition: "y",
          toStored: (o) => o,
          fromStored: (o) => o,
        },
      ],
    });
    const { groups } = makeDiscovery([hello]);
    assert.deepEqual(
      groups.map((g) => g.name),
      ["a.example", "b.example"],
    );
    const hashes = groups.map((g) => g.versions[0]?.resources[0]?.storageVersionHash);
    assert.equal(hashes[0], hashes[1]);
    assert.deepEqual(groups[0]?.versions[0]?.resources[0]?.verbs, [...STANDARD_VERBS].sort());
  });

  test("knows no path that is not discovery's", () => {
    const discovery = makeDiscovery([]);
    for (const path of ["/", "/api/v1", "/apis/apps", "/apis/apps/v1", "/api/v1/pods", "/healthz"]) {
      assert.equal(discovery.answer({ path, ...ask }), undefined, path);
    }
  });

  test("prefers stable to beta to alpha and larger numbers", () => {
    const versions = ["v1alpha1", "odd", "v2", "v1beta2", "v1", "v10", "v1beta1"];
    versions.sort((a, b) => compareVersions(b, a));
    assert.deepEqual(versions, ["v10", "v2", "v1", "v1beta2", "v1beta1", "v1alpha1", "odd"]);
  });
});
