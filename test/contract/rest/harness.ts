/**
 * An API server in the test's process and a client of it that shows everything: codes, headers, bytes, and watches event
 * by event. Time stands still unless a test moves it.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeObject, ObjectMeta } from "../../../src/api/object.ts";
import type { RandomPort } from "../../../src/api/ports.ts";
import { type APIServer, startAPIServer } from "../../../src/apiserver/api-server.ts";
import { InProcessExchange } from "../../../src/apiserver/http/in-process-exchange.ts";
import { VirtualClock } from "../../../src/base/clock.ts";
import { ensurePKI, type PKI } from "../../../src/cluster/pki/ensure-pki.ts";
import { openMemory } from "../../../src/store/memory/open-memory.ts";
import type { Store } from "../../../src/store/store.ts";

/** An object of an answer, as the tests ask for its fields: what is not there is undefined. */
export interface Shown extends KubeObject {
  metadata: ObjectMeta & { continue?: string; remainingItemCount?: number };
  spec: Record<string, unknown>;
  status: unknown;
  data: Record<string, string>;
  items: Shown[];
  message: string;
  reason: string;
  code: number;
  details: unknown;
  columnDefinitions: { name: string }[] | null;
  rows: { cells: unknown[]; object: Shown | null }[];
}

/** The value at a path such as `spec.ports.0.nodePort`, or undefined. */
export function at(value: unknown, path: string): unknown {
  let found = value;
  for (const key of path.split(".")) found = (found as Record<string, unknown> | undefined)?.[key];
  return found;
}

export interface Ask {
  body?: unknown;
  headers?: Record<string, string>;
  /** Whose bearer token is sent; "" for none. By default that of an administrator. */
  token?: string;
}

export interface Answer {
  code: number;
  headers: Record<string, string>;
  bytes: Buffer;
  text: string;
  /** The parsed JSON, or undefined where the answer is none. */
  object: Shown;
}

export interface Event {
  type: string;
  object: Shown;
}

export interface TestWatch {
  /** The next event, as soon as there is one; rejects when the watch ends first. */
  next(): Promise<Event>;
  take(count: number): Promise<Event[]>;
  /** Resolves when the server has ended the watch, with the events that were not taken. */
  rest(): Promise<Event[]>;
  answer: Promise<{ code: number; headers: Record<string, string> }>;
  /** All that came so far. */
  bytes(): Buffer;
  close(): void;
}

export interface TestServer extends AsyncDisposable {
  api: APIServer;
  clock: VirtualClock;
  store: Store;
  pki: PKI;
  ask(method: string, url: string, ask?: Ask): Promise<Answer>;
  get(url: string, ask?: Ask): Promise<Answer>;
  /** Creates, and fails where the answer is not 201. */
  create(url: string, body: unknown): Promise<Shown>;
  watch(url: string, ask?: Ask): TestWatch;
}

export interface TestServerOptions {
  store?: Store;
  history?: number;
  random?: RandomPort;
}

const TOKENS = [
  "admin-token,admin,1,system:masters",
  "alice-token,alice,2,developers",
  "bob-token,bob,3",
].join("\n");

let pki: Promise<PKI> | undefined;

/** One PKI for all servers of a test file: keys take longer than everything else. */
function sharedPKI(): Promise<PKI> {
  pki ??= makePKI();
  return pki;
}

async function makePKI(): Promise<PKI> {
  const directory = await mkdtemp(join(tmpdir(), "kybern-rest-"));
  try {
    return await ensurePKI({
      directory: join(directory, "pki"),
      now: new Date(),
      hostname: "localhost",
      dnsDomain: "cluster.local",
      serviceAddresses: ["10.96.0.1"],
      addresses: ["127.0.0.1"],
    });
  } finally {
    await rm(directory, { recursive: true });
  }
}

export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const pki = await sharedPKI();
  const store = options.store ?? (await openMemory());
  const clock = new VirtualClock(Math.floor(Date.now() / 1000) * 1000);
  const bugs: string[] = [];
  const api = await startAPIServer({
    store,
    clock,
    credentials: {
      clientCA: pki.ca.certificate,
      frontProxyCA: pki.frontProxyCA.certificate,
      serviceAccountPrivateKey: pki.serviceAccount.privateKey,
      serviceAccountPublicKeys: pki.serviceAccount.publicKey,
      tokenFile: TOKENS,
    },
    settings: {
      serviceCIDRs: ["10.96.0.0/12"],
      nodePortRange: { from: 30000, to: 32767 },
      dnsDomain: "cluster.local",
    },
    history: options.history,
    random: options.random,
    log: (level, text, facts) => {
      if (level === "error") bugs.push(`${text} ${JSON.stringify(facts)}`);
    },
  });
  const ask = (method: string, url: string, request: Ask = {}) => send(api, method, url, request);
  return {
    api,
    clock,
    store,
    pki,
    ask,
    get: (url, request) => ask("GET", url, request),
    create: async (url, body) => {
      const { code, text, object } = await ask("POST", url, { body });
      if (code !== 201) throw new Error(`POST ${url} answered ${code}: ${text}${bugs.join()}`);
      return object;
    },
    watch: (url, request) => openWatch(api, url, request),
    [Symbol.asyncDispose]: async () => {
      await api.close();
      await store[Symbol.asyncDispose]();
      if (bugs.length > 0) throw new Error(`the server met bugs of its own:\n${bugs.join("\n")}`);
    },
  };
}

function exchangeRequest(method: string, url: string, { body, headers, token = "admin-token" }: Ask) {
  const sent: Record<string, string> = { ...headers };
  if (token !== "") sent.authorization ??= `Bearer ${token}`;
  const isText = typeof body === "string" || body instanceof Uint8Array;
  if (body !== undefined && !isText) sent["content-type"] ??= "application/json";
  return {
    method,
    url,
    headers: sent,
    body: isText ? body : body === undefined ? undefined : JSON.stringify(body),
  };
}

function textHeaders(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

function send(api: APIServer, method: string, url: string, ask: Ask): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const chunks: Uint8Array[] = [];
  let head = { code: 0, headers: {} as Record<string, string> };
  const exchange = new InProcessExchange(exchangeRequest(method, url, ask), {
    headers: (code, headers) => {
      head = { code, headers: textHeaders(headers) };
    },
    data: (chunk) => chunks.push(Buffer.from(chunk)),
    end: () => {
      const bytes = Buffer.concat(chunks);
      const text = bytes.toString();
      const isJSON = /^application\/json/.test(head.headers["content-type"] ?? "") && text !== "";
      const plain = isJSON && !head.headers["content-encoding"];
      resolve({ ...head, bytes, text, object: (plain ? JSON.parse(text) : undefined) as Shown });
    },
  });
  api.handler(exchange);
  return promise;
}

function openWatch(api: APIServer, url: string, ask: Ask = {}): TestWatch {
  const chunks: Buffer[] = [];
  const events: Event[] = [];
  const waiting: { resolve: (event: Event) => void; reject: (error: Error) => void }[] = [];
  const answer = Promise.withResolvers<{ code: number; headers: Record<string, string> }>();
  const ended = Promise.withResolvers<void>();
  let tail = "";
  let over = false;
  let isJSON = true;
  const exchange = new InProcessExchange(exchangeRequest("GET", url, ask), {
    headers: (code, headers) => {
      const texts = textHeaders(headers);
      isJSON = texts["content-type"] === "application/json";
      answer.resolve({ code, headers: texts });
    },
    data: (chunk) => {
      chunks.push(Buffer.from(chunk));
      if (!isJSON) return;
      tail += Buffer.from(chunk).toString();
      const lines = tail.split("\n");
      tail = lines.pop()!;
      for (const line of lines) {
        const event = JSON.parse(line) as Event;
        const next = waiting.shift();
        if (next) next.resolve(event);
        else events.push(event);
      }
    },
    end: () => {
      over = true;
      for (const { reject } of waiting) reject(new Error("the watch ended"));
      ended.resolve();
    },
  });
  const next = (): Promise<Event> => {
    const event = events.shift();
    if (event) return Promise.resolve(event);
    if (over) return Promise.reject(new Error("the watch ended"));
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  api.handler(exchange);
  return {
    next,
    answer: answer.promise,
    take: async (count) => {
      const taken: Event[] = [];
      while (taken.length < count) taken.push(await next());
      return taken;
    },
    rest: () => ended.promise.then(() => events.splice(0)),
    bytes: () => Buffer.concat(chunks),
    close: () => exchange.abort(),
  };
}

/** What a Status says, without the parts that differ from run to run. */
export function statusOf({ object }: Answer): Record<string, unknown> {
  const { kind, status, reason, code, message, details } = object;
  return { kind, status, reason, code, message, details };
}

export const NAMESPACED = "/api/v1/namespaces/default";

export function configMap(name: string, more: Record<string, unknown> = {}, labels?: Record<string, string>) {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, labels }, ...more };
}

export function pod(name: string, more: { metadata?: object; spec?: object } = {}) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, ...more.metadata },
    spec: { containers: [{ name: "main", image: "registry.k8s.io/pause:3.10" }], ...more.spec },
  };
}

export function deployment(name: string, replicas = 1) {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "main", image: "registry.k8s.io/pause:3.10" }] },
      },
    },
  };
}
