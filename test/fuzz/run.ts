/**
 * Sends an API server in this process what nobody should send, for a while, and fails where it answers with a bug, takes
 * long, or where Object.prototype is another one afterwards.
 *
 *     node test/fuzz/run.ts [seconds] [seed]
 *
 * The seed is printed; with it, the same requests are sent again.
 */
import { fileURLToPath } from "node:url";
import { resources } from "../../src/api/index.ts";
import type { Resource } from "../../src/api/resource.ts";
import { schemas } from "../../src/api/schema/schemas.ts";
import type { InProcessRequest } from "../../src/apiserver/http/in-process-exchange.ts";
import { anything, damaged, HOSTILE_KEYS, hostileMap, ObjectMaker, textOf } from "./hostile.ts";
import { type InProcessServer, startInProcess } from "./in-process-server.ts";
import { Random } from "./random.ts";

export interface Findings {
  seed: number;
  requests: number;
  /** How often each status was answered. */
  statuses: Map<number, number>;
  /** What went wrong, with the request that did it. */
  faults: string[];
}

/** Milliseconds that a request of a few kilobytes may take; very much, for a machine that others use too. */
const SLOW = 3000;
const MAX_FAULTS = 20;
const NAMESPACE = "fuzz";

const PATCHES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];
const BODIES = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "text/html",
  "",
];
const ACCEPTS = [
  "application/json",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/json;as=Table;v=v1;g=meta.k8s.io",
  "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
  "*/*;q=NaN",
  ",;=,",
];
const PARAMETERS = [
  "labelSelector",
  "fieldSelector",
  "limit",
  "continue",
  "resourceVersion",
  "resourceVersionMatch",
  "dryRun",
  "fieldManager",
  "fieldValidation",
  "force",
  "gracePeriodSeconds",
  "propagationPolicy",
  "pretty",
  "timeoutSeconds",
];

class Fuzzer {
  private readonly random: Random;
  private readonly maker: ObjectMaker;
  private readonly served = resources as readonly Resource[];

  constructor(seed: number) {
    this.random = new Random(seed);
    this.maker = new ObjectMaker(schemas, this.random);
  }

  next(): InProcessRequest {
    const { random } = this;
    const resource = random.pick(this.served);
    const dice = random.next();
    if (dice < 0.45) return this.create(resource);
    if (dice < 0.6) return this.put(resource);
    if (dice < 0.9) return this.patch(resource);
    return this.read(resource);
  }

  private collection({ group, version, plural, scope }: Resource): string {
    const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    return scope === "Namespaced" ? `${root}/namespaces/${NAMESPACE}/${plural}` : `${root}/${plural}`;
  }

  private name(): string {
    return this.random.chance(0.9)
      ? `x${this.random.below(3)}`
      : encodeURIComponent(well(this.random.pick(HOSTILE_KEYS)));
  }

  private path(resource: Resource): string {
    const { random } = this;
    const subresources = Object.keys(resource.subresources);
    const below = subresources.length > 0 && random.chance(0.2) ? `/${random.pick(subresources)}` : "";
    return `${this.collection(resource)}/${this.name()}${below}`;
  }

  private query(): string {
    const { random } = this;
    const parts = ["fieldManager=fuzz"];
    while (random.chance(0.3)) {
      const value = random.pick([
        ...HOSTILE_KEYS,
        "1",
        "All",
        "a=b",
        "a in (b,c",
        "metadata.name=x0",
        "Strict",
      ]);
      parts.push(`${random.pick(PARAMETERS)}=${encodeURIComponent(well(value))}`);
    }
    return `?${parts.join("&")}`;
  }

  private object(resource: Resource): Record<string, unknown> {
    const { random } = this;
    const object = this.maker.object(resource.definition);
    const { group, version, kind } = resource;
    const apiVersion = group === "" ? version : `${group}/${version}`;
    const metadata = random.chance(0.1) ? anything(random) : this.metadata(object.metadata);
    return { ...object, apiVersion, kind, metadata };
  }

  private metadata(made: unknown): unknown {
    const { random } = this;
    const plain = { name: `x${random.below(3)}` };
    if (random.chance(0.7)) return { ...plain, labels: hostileMap(random, () => "") };
    return typeof made === "object" && made !== null
      ? { ...made, ...plain, namespace: undefined, resourceVersion: undefined }
      : made;
  }

  private body(resource: Resource): Pick<InProcessRequest, "body" | "headers"> {
    const { random } = this;
    const text = textOf(this.object(resource));
    const type = random.chance(0.8) ? "application/json" : random.pick(BODIES);
    const headers = { "content-type": type, accept: random.pick(ACCEPTS) };
    return { headers, body: random.chance(0.15) ? damaged(random, text) : text };
  }

  private create(resource: Resource): InProcessRequest {
    return { method: "POST", url: this.collection(resource) + this.query(), ...this.body(resource) };
  }

  private put(resource: Resource): InProcessRequest {
    return { method: "PUT", url: this.path(resource) + this.query(), ...this.body(resource) };
  }

  private patch(resource: Resource): InProcessRequest {
    const { random } = this;
    const type = random.pick(PATCHES);
    const value = type === PATCHES[0] ? this.operations() : this.object(resource);
    const text = textOf(value);
    return {
      method: "PATCH",
      url: this.path(resource) + this.query(),
      headers: { "content-type": type },
      body: random.chance(0.1) ? damaged(random, text) : text,
    };
  }

  private operations(): unknown {
    const { random } = this;
    const fields = [
      "metadata",
      "spec",
      "data",
      "labels",
      "annotations",
      "finalizers",
      "0",
      "-",
      ...HOSTILE_KEYS,
    ];
    const pointer = () =>
      Array.from({ length: 1 + random.below(3) }, () => `/${random.pick(fields)}`).join("");
    return Array.from({ length: 1 + random.below(5) }, () => ({
      op: random.pick(["add", "remove", "replace", "move", "copy", "test", "__proto__"]),
      path: pointer(),
      from: pointer(),
      value: anything(random),
    }));
  }

  private read(resource: Resource): InProcessRequest {
    const { random } = this;
    const method = random.pick(["GET", "GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]);
    const url = random.chance(0.5) ? this.path(resource) : this.collection(resource);
    const options =
      method === "DELETE" && random.chance(0.5) ? this.maker.object("meta.v1.DeleteOptions") : undefined;
    const body = options && textOf(options);
    return { method, url: url + this.query(), headers: { accept: random.pick(ACCEPTS) }, body };
  }
}

/** encodeURIComponent takes no half of a surrogate pair. */
function well(text: string): string {
  return text.toWellFormed();
}

/** Everything that hangs at Object.prototype, as one text: any change shows. */
function prototypeNow(): string {
  return JSON.stringify(
    Reflect.ownKeys(Object.prototype).map(String).concat(Reflect.ownKeys(Array.prototype).map(String)),
  );
}

async function prepare(server: InProcessServer): Promise<void> {
  const headers = { "content-type": "application/json" };
  const bodies: [string, object][] = [
    ["/api/v1/namespaces", { metadata: { name: NAMESPACE } }],
    [`/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, { metadata: { name: "default" } }],
  ];
  for (const [url, object] of bodies) {
    const answer = await server.send({ method: "POST", url, headers, body: JSON.stringify(object) });
    if (answer.status !== 201) throw new Error(`could not prepare ${url}: ${answer.text}`);
  }
}

export async function fuzz(seconds: number, seed: number): Promise<Findings> {
  await using server = await startInProcess();
  await prepare(server);
  const fuzzer = new Fuzzer(seed);
  const findings: Findings = { seed, requests: 0, statuses: new Map(), faults: [] };
  const before = prototypeNow();
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end && findings.faults.length < MAX_FAULTS) {
    const request = fuzzer.next();
    const answer = await server.send(request);
    findings.requests++;
    findings.statuses.set(answer.status, (findings.statuses.get(answer.status) ?? 0) + 1);
    const said = `${request.method} ${request.url} ${Buffer.from(request.body ?? "").toString()}`;
    for (const bug of server.bugs.splice(0)) findings.faults.push(`${bug}\n  ${said}`);
    if (answer.status < 200 || answer.status > 599)
      findings.faults.push(`status ${answer.status}\n  ${said}`);
    if (answer.took > SLOW) findings.faults.push(`took ${Math.round(answer.took)} ms\n  ${said}`);
  }
  if (prototypeNow() !== before) findings.faults.push("a prototype was changed");
  return findings;
}

async function main(): Promise<void> {
  const [seconds = "30", given] = process.argv.slice(2);
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(given);
  console.log(`seed ${seed}`);
  const { requests, statuses, faults } = await fuzz(Number(seconds), seed);
  const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
  console.log(`${requests} requests; ${counts.join(", ")}`);
  for (const fault of faults) console.error(fault);
  process.exit(faults.length === 0 ? 0 : 1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
