/**
 * The informer of the official JavaScript client, over HTTPS, against a server that is killed without warning while
 * thousands of writes go on: it must end with the truth, and see every write that it was connected for.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  CoreV1Api,
  KubeConfig,
  makeInformer,
  type V1ConfigMap,
  type V1ConfigMapList,
} from "@kubernetes/client-node";

const ENTRY = fileURLToPath(new URL("../../src/main/kybern.ts", import.meta.url));
const PATH = "/api/v1/namespaces/default/configmaps";
const LABEL = "watched=yes";
const OBJECTS = 500;
const VERSIONS = 24;
const LANES = 50;
const KILL_AFTER = 5000;
const EVENTS = 10_000;

interface Running {
  child: ChildProcess;
}

async function startServer(dataDir: string): Promise<Running> {
  const flags = ["--data-dir", dataDir, "--secure-port", "0", "--bind-address", "127.0.0.1"];
  const run = ["--disable-proto=delete", ENTRY, "server", ...flags, "--components", "apiserver"];
  const child = spawn(process.execPath, run, { stdio: ["ignore", "ignore", "pipe"] });
  const said: string[] = [];
  const ready = Promise.withResolvers<void>();
  createInterface({ input: child.stderr! }).on("line", (line) => {
    if (said.length < 50) said.push(line);
    if (/ info ready /.test(line)) ready.resolve();
  });
  child.once("exit", (code) => ready.reject(new Error(`the server ended with ${code}:\n${said.join("\n")}`)));
  ready.promise.catch(() => {});
  await ready.promise;
  return { child };
}

async function kill({ child }: Running): Promise<void> {
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** Writes over one HTTP/2 connection, which is the fastest a client can be. */
class Writer {
  readonly session: ClientHttp2Session;

  constructor(config: KubeConfig) {
    const cluster = config.getCurrentCluster();
    const user = config.getCurrentUser();
    this.session = connect(cluster?.server ?? "", {
      ca: Buffer.from(cluster?.caData ?? "", "base64"),
      cert: Buffer.from(user?.certData ?? "", "base64"),
      key: Buffer.from(user?.keyData ?? "", "base64"),
    });
    // Each request tells of it.
    this.session.on("error", () => {});
  }

  /** Rejects where no answer came. */
  ask(method: string, path: string, body?: object): Promise<{ code: number; text: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ code: number; text: string }>();
    const stream = this.session.request({
      ":method": method,
      ":path": path,
      "content-type": "application/json",
    });
    let code = 0;
    let text = "";
    stream.setEncoding("utf8");
    stream.on("response", (headers) => {
      code = headers[":status"] ?? 0;
    });
    stream.on("data", (chunk: string) => {
      text += chunk;
    });
    stream.on("error", reject);
    let ended = false;
    stream.on("end", () => {
      ended = code !== 0;
    });
    stream.on("close", () => (ended ? resolve({ code, text }) : reject(new Error("no answer"))));
    stream.end(body ? JSON.stringify(body) : undefined);
    return promise;
  }
}

const nameOf = (i: number): string => `object-${i}`;
const isDeleted = (i: number): boolean => i % 2 === 1;
const bodyOf = (i: number, n: number) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: nameOf(i), labels: { watched: "yes" } },
  data: { n: String(n) },
});

/** What the informer told, held against what it must tell: of each object one version after the other. */
class Witness {
  readonly versions = new Map<string, number>();
  readonly done = Promise.withResolvers<void>();
  events = 0;
  lists = 0;
  private readonly misses: string[] = [];
  private readonly deleted = new Set<string>();
  private finished = 0;

  /** A list may skip what happened while nobody was connected. */
  listed({ items }: V1ConfigMapList): void {
    this.lists++;
    for (const item of items) this.versions.set(item.metadata?.name ?? "", Number(item.data?.n));
  }

  changed(object: V1ConfigMap): void {
    const name = object.metadata?.name ?? "";
    const n = Number(object.data?.n);
    const before = this.versions.get(name) ?? 0;
    if (n !== before && n !== before + 1) this.misses.push(`${name} went from ${before} to ${n}`);
    this.versions.set(name, n);
    this.events++;
    if (n === VERSIONS && !isDeleted(Number(name.slice("object-".length)))) this.finish();
  }

  gone(object: V1ConfigMap): void {
    const name = object.metadata?.name ?? "";
    if (this.deleted.has(name)) this.misses.push(`${name} was deleted twice`);
    if (Number(object.data?.n) !== VERSIONS) this.misses.push(`${name} was deleted at ${object.data?.n}`);
    this.deleted.add(name);
    this.events++;
    this.finish();
  }

  check(): void {
    assert.deepEqual(this.misses, []);
  }

  private finish(): void {
    this.finished++;
    if (this.finished === OBJECTS) this.done.resolve();
  }
}

test("an informer of the official client misses nothing of 10,000 events and a kill of the server", {
  timeout: 300_000,
}, async (t) => {
  const dataDir = await mkdtemp(join(tmpdir(), "kybern-informer-"));
  let running = await startServer(dataDir);
  t.after(async () => {
    await kill(running);
    await rm(dataDir, { recursive: true, force: true });
  });
  const config = new KubeConfig();
  let core: CoreV1Api;
  // The server has another port each time: nobody can take the one that it had, while it is away.
  const meet = async (): Promise<void> => {
    config.loadFromString(await readFile(join(dataDir, "admin.conf"), "utf8"));
    core = config.makeApiClient(CoreV1Api);
  };
  await meet();
  const witness = new Witness();
  const list = async (): Promise<V1ConfigMapList> => {
    const listed = await core.listNamespacedConfigMap({ namespace: "default", labelSelector: LABEL });
    witness.listed(listed);
    return listed;
  };
  const informer = makeInformer(config, PATH, list, LABEL);
  informer.on("add", (object) => witness.changed(object));
  informer.on("update", (object) => witness.changed(object));
  informer.on("delete", (object) => witness.gone(object));
  let up = Promise.resolve();
  let writer = new Writer(config);
  // As every user of this informer does: it is started again when it has lost the server.
  let watching = true;
  informer.on("error", () => up.then(() => (watching ? informer.start() : undefined)));
  await informer.start();

  let acknowledged = 0;
  const restart = async (): Promise<void> => {
    await kill(running);
    running = await startServer(dataDir);
    await meet();
    writer = new Writer(config);
  };
  const count = (): void => {
    acknowledged++;
    if (acknowledged === KILL_AFTER) up = restart();
  };
  /** Makes version `n` of an object, whatever happens to the server; returns the version that stands then. */
  const write = async (i: number, n: number): Promise<number> => {
    const [method, path] = n === 1 ? ["POST", PATH] : ["PUT", `${PATH}/${nameOf(i)}`];
    try {
      const { code, text } = await writer.ask(method!, path!, bodyOf(i, n));
      assert.ok(code === 200 || code === 201, text);
      count();
      return n;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      await up;
      const { code, text } = await writer.ask("GET", `${PATH}/${nameOf(i)}`);
      const stands = code === 404 ? 0 : Number(JSON.parse(text).data.n);
      assert.ok(
        stands === n || stands === n - 1,
        `${nameOf(i)}: ${n - 1} was acknowledged, ${stands} stands`,
      );
      return stands;
    }
  };
  const lane = async (first: number): Promise<void> => {
    for (let n = 0; n < VERSIONS; ) {
      const stand = await Promise.all(
        Array.from({ length: OBJECTS / LANES }, (_, k) => advance(first + k * LANES, n + 1)),
      );
      n = Math.min(...stand);
    }
    for (let i = first; i < OBJECTS; i += LANES) {
      if (isDeleted(i)) assert.equal((await writer.ask("DELETE", `${PATH}/${nameOf(i)}`)).code, 200);
    }
  };
  const advance = async (i: number, n: number): Promise<number> => {
    let stands = await write(i, n);
    while (stands < n) stands = await write(i, n);
    return stands;
  };
  await Promise.all(Array.from({ length: LANES }, (_, first) => lane(first)));
  await witness.done.promise;
  witness.check();
  assert.ok(witness.events >= EVENTS, `${witness.events} events were seen`);
  const truth = await core!.listNamespacedConfigMap({ namespace: "default", labelSelector: LABEL });
  const versionsOf = (objects: readonly V1ConfigMap[]) =>
    new Map(objects.map(({ metadata, data }) => [metadata?.name, `${metadata?.resourceVersion} ${data?.n}`]));
  assert.deepEqual(versionsOf(informer.list("default")), versionsOf(truth.items));
  assert.equal(truth.items.length, OBJECTS / 2);
  watching = false;
  await informer.stop();
  writer.session.close();
  t.diagnostic(`${acknowledged} writes, ${witness.events} events, ${witness.lists} lists`);
});
