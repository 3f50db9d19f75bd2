import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { type TestContext, test } from "node:test";
import { systemClock, VirtualClock } from "../../../base/clock.ts";
import { seededRandom } from "../../../base/random.ts";
import { Forwarder } from "../forward/forwarder.ts";
import { Loops } from "../forward/loops.ts";
import { writeAnswer } from "../message/answer.ts";
import { RCODES, TYPES } from "../message/constants.ts";
import { encodeName } from "../message/name.ts";
import { type Query, readQuery } from "../message/query.ts";
import { nameRecord, soaRecord } from "../message/record.ts";
import { readResponse } from "../message/response.ts";
import { takeAnswers } from "../message/take-records.ts";
import { addressBytes } from "../zone/address.ts";
import type { ClusterObjects } from "../zone/cluster-objects.ts";
import { ClusterZone } from "../zone/cluster-zone.ts";
import type { ServiceView } from "../zone/service-view.ts";
import { type Answered, Responder } from "./responder.ts";

type Records = Parameters<typeof writeAnswer>[1];

/** A resolver on this machine: what it answers to each name; nothing to names it does not know. */
interface Upstream {
  port: number;
  /** What it was asked, as `name protocol`. */
  asked: string[];
  /** Sends the answers that were held back. */
  release(): void;
}

async function upstream(
  t: TestContext,
  answers: (query: Query) => Records | undefined,
  options: { hold?: boolean } = {},
): Promise<Upstream> {
  const asked: string[] = [];
  const held: (() => void)[] = [];
  const tcp: Server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      const query = readQuery(chunk.subarray(2)) as Query;
      asked.push(`${query.name} tcp`);
      const answer = writeAnswer(query, answers(query)!, 65535);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      socket.write(length);
      socket.write(answer);
    });
  });
  tcp.listen(0, "127.0.0.1");
  await once(tcp, "listening");
  const { port } = tcp.address() as { port: number };
  const udp: Socket = createSocket("udp4");
  udp.on("message", (message, { port, address }) => {
    const query = readQuery(message) as Query;
    asked.push(`${query.name} udp`);
    const said = answers(query);
    if (!said) return;
    const send = () => udp.send(writeAnswer(query, said, 1232), port, address);
    if (options.hold) held.push(send);
    else send();
  });
  udp.bind(port, "127.0.0.1");
  await once(udp, "listening");
  t.after(() => {
    udp.close();
    tcp.close();
  });
  return { port, asked, release: () => held.splice(0).forEach((send) => void send()) };
}

const EXTERNAL: ServiceView = {
  addresses: { v4: [], v6: [] },
  ports: [],
  isHeadless: false,
  hosts: new Map(),
  externalName: "www.example.com",
};
const views: ReadonlyMap<string, ServiceView> = new Map([
  [
    "web",
    {
      ...EXTERNAL,
      externalName: undefined,
      addresses: { v4: ["1", "2"].map((n) => addressBytes(`10.96.0.${n}`)!), v6: [] },
    },
  ],
  ["out", EXTERNAL],
  ["near", { ...EXTERNAL, externalName: "web.default.svc.cluster.local" }],
  ["circle", { ...EXTERNAL, externalName: "circle.default.svc.cluster.local" }],
  ["gone", { ...EXTERNAL, externalName: "gone.example.com" }],
]);
const objects: ClusterObjects = {
  hasNamespace: () => true,
  service: (_, name) => views.get(name),
  namesOf: () => [],
};

const SOA = {
  name: "com",
  server: "s",
  mailbox: "m",
  serial: 1,
  refresh: 1,
  retry: 1,
  expire: 1,
  minimum: 20,
};
const a = (text: string, ttl = 300) => ({ type: TYPES.A, ttl, data: addressBytes(text)! });

/** As a resolver of the internet would. */
function internet({ name }: Query): Records | undefined {
  if (name === "www.example.com")
    return {
      rcode: 0,
      answers: [nameRecord("CNAME", 300, "cdn.example.com"), { ...a("192.0.2.1"), name: "cdn.example.com" }],
    };
  if (name === "large.example.com")
    return { rcode: 0, answers: Array.from({ length: 200 }, (_, i) => a(`192.0.2.${i}`)) };
  if (name === "broken.example.com") return { rcode: RCODES.SERVFAIL };
  if (name === "silent.example.com") return undefined;
  return { rcode: RCODES.NXDOMAIN, authority: [soaRecord(60, SOA)] };
}

function serving(
  port: number,
  options: { clock?: VirtualClock; servers?: string[]; isComplete?: () => boolean } = {},
) {
  const { clock = systemClock, servers = ["127.0.0.1"], isComplete = () => true } = options;
  const random = seededRandom(1);
  const forwarder = new Forwarder({ clock, random, port });
  forwarder.use(servers);
  const looping: string[] = [];
  const loops = new Loops(random, (server) => looping.push(server));
  const zone = new ClusterZone({
    domain: "cluster.local",
    objects,
    servers: { v4: [], v6: [] },
    serial: () => 1,
  });
  const errors: unknown[] = [];
  const responder = new Responder({
    zone,
    isComplete,
    forwarder,
    loops,
    failed: (error) => errors.push(error),
  });
  return { responder, forwarder, loops, looping, errors };
}

function question(name: string, type: number = TYPES.A, class_ = 1): Buffer {
  const head = Buffer.from("000701000001000000000000", "hex");
  return Buffer.concat([head, Buffer.from(encodeName(name)!), Buffer.from([0, type, 0, class_])]);
}

interface Told {
  rcode: number;
  by: string;
  answers: string[];
}

async function told(answer: ReturnType<Responder["respond"]>): Promise<Told> {
  const { message, by } = (await answer) as Answered;
  const response = readResponse(message)!;
  const answers = takeAnswers(response).map(
    ({ name, type, ttl, data }) => `${name} ${type} ${ttl} ${[...data.slice(0, 4)].join(".")}`,
  );
  return { rcode: response.rcode, by, answers };
}

test("names of the cluster are answered at once, and not by others", async (t) => {
  const { port, asked } = await upstream(t, internet);
  const { responder } = serving(port);
  const first = responder.respond(question("web.default.svc.cluster.local"), "udp");
  assert.ok(first && !(first instanceof Promise));
  assert.equal(first.message.readUInt16BE(2) & 0x0400, 0x0400);
  const addresses = async () =>
    (await told(responder.respond(question("web.default.svc.cluster.local"), "udp"))).answers[0];
  // Each address comes first in its turn.
  assert.notEqual(await addresses(), await addresses());
  assert.equal(
    (await told(responder.respond(question("no.default.svc.cluster.local"), "udp"))).rcode,
    RCODES.NXDOMAIN,
  );
  assert.deepEqual(asked, []);
});

test("nothing is said to be missing before everything was seen", async (t) => {
  const { port } = await upstream(t, internet);
  const { responder } = serving(port, { isComplete: () => false });
  assert.equal(
    (await told(responder.respond(question("web.default.svc.cluster.local"), "udp"))).rcode,
    RCODES.SERVFAIL,
  );
});

test("other names are asked for once, kept with their time, and forgotten in time", async (t) => {
  const { port, asked } = await upstream(t, internet);
  const clock = new VirtualClock();
  const { responder } = serving(port, { clock });
  const ask = (name: string) => told(responder.respond(question(name), "udp"));
  const first = await ask("www.example.com");
  assert.deepEqual(first, {
    rcode: 0,
    by: "forward",
    answers: ["www.example.com 5 300 3.99.100.110", "cdn.example.com 1 300 192.0.2.1"],
  });
  clock.advance(10_000);
  const second = await ask("WWW.example.com");
  assert.equal(second.by, "cache");
  assert.equal(second.answers[1], "cdn.example.com 1 290 192.0.2.1");
  clock.advance(20_001);
  assert.equal((await ask("www.example.com")).by, "forward");
  assert.deepEqual(await ask("none.example.com"), { rcode: RCODES.NXDOMAIN, by: "forward", answers: [] });
  assert.equal((await ask("none.example.com")).by, "cache");
  clock.advance(20_001);
  assert.equal((await ask("none.example.com")).by, "forward");
  assert.equal(asked.length, 4);
});

test("a question that many ask at once is asked once", async (t) => {
  const { port, asked, release } = await upstream(t, internet, { hold: true });
  const { responder, forwarder } = serving(port);
  const all = Array.from({ length: 50 }, () => told(responder.respond(question("www.example.com"), "udp")));
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  release();
  assert.ok((await Promise.all(all)).every(({ answers }) => answers.length === 2));
  assert.equal(asked.length, 1);
  assert.equal(forwarder.cached, 1);
});

test("what does not fit into a packet is fetched and given over TCP, and cut over UDP", async (t) => {
  const { port, asked } = await upstream(t, internet);
  const { responder } = serving(port);
  assert.equal((await told(responder.respond(question("large.example.com"), "tcp"))).answers.length, 200);
  assert.deepEqual(asked, ["large.example.com udp", "large.example.com tcp"]);
  const cut = (await responder.respond(question("large.example.com"), "udp")) as Answered;
  assert.ok(cut.message.length <= 512 && (cut.message.readUInt16BE(2) & 0x0200) !== 0);
});

test("ExternalNames are followed, inside and outside the cluster", async (t) => {
  const { port } = await upstream(t, internet);
  const { responder, errors } = serving(port);
  const ask = (name: string, type?: number) =>
    told(responder.respond(question(`${name}.default.svc.cluster.local`, type), "udp"));
  assert.deepEqual(
    (await ask("out")).answers.map((line) => line.split(" ").slice(0, 2).join(" ")),
    ["out.default.svc.cluster.local 5", "www.example.com 5", "cdn.example.com 1"],
  );
  assert.equal((await ask("near")).answers.length, 3);
  assert.deepEqual((await ask("out", TYPES.CNAME)).answers.length, 1);
  assert.deepEqual([(await ask("gone")).rcode, (await ask("gone")).answers.length], [RCODES.NXDOMAIN, 1]);
  assert.equal((await ask("circle")).rcode, RCODES.SERVFAIL);
  assert.deepEqual(errors, []);
});

test("a resolver that fails is told of, and kept from being asked by everyone", async (t) => {
  const { port, asked } = await upstream(t, internet);
  const clock = new VirtualClock();
  const { responder } = serving(port, { clock });
  const ask = () => told(responder.respond(question("broken.example.com"), "udp"));
  assert.equal((await ask()).rcode, RCODES.SERVFAIL);
  const before = asked.length;
  assert.equal((await ask()).by, "cache");
  assert.equal(asked.length, before);
  clock.advance(1001);
  await ask();
  assert.ok(asked.length > before);
});

test("a resolver that is silent is given up in time, and asked last from then on", async (t) => {
  const { port, asked } = await upstream(t, internet);
  const clock = new VirtualClock();
  const { responder, forwarder } = serving(port, { clock });
  const silent = told(responder.respond(question("silent.example.com"), "udp"));
  for (let tries = 1; tries <= 2; tries++) {
    while (asked.length < tries) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(2000);
  }
  assert.equal((await silent).rcode, RCODES.SERVFAIL);
  forwarder.use(["127.0.0.9", "127.0.0.1"]);
  const other = told(responder.respond(question("www.example.com"), "udp"));
  // Nobody listens at the first address, and the system says so at once.
  assert.equal((await other).rcode, 0);
});

test("a resolver that does not know options is asked without them", async (t) => {
  const { port, asked } = await upstream(t, (query) =>
    query.edns ? { rcode: RCODES.FORMERR } : internet(query),
  );
  const { responder } = serving(port);
  assert.equal((await told(responder.respond(question("www.example.com"), "udp"))).answers.length, 2);
  assert.equal(asked.length, 2);
});

test("answers that are not to our question are passed over", async (t) => {
  const udp = createSocket("udp4");
  t.after(() => udp.close());
  udp.on("message", (message, from) => {
    const query = readQuery(message) as Query;
    const send = (answer: Buffer) => udp.send(answer, from.port, from.address);
    const wrong = writeAnswer(query, { rcode: 0, answers: [a("192.0.2.66")] }, 512);
    const other = readQuery(question("other.example.com")) as Query;
    send(writeAnswer({ ...query, id: query.id ^ 1 }, { rcode: 0, answers: [a("192.0.2.66")] }, 512));
    send(writeAnswer({ ...query, question: other.question }, { rcode: 0, answers: [a("192.0.2.66")] }, 512));
    send(wrong.subarray(0, wrong.length - 3));
    send(message);
    send(Buffer.from("x"));
    send(writeAnswer(query, { rcode: 0, answers: [a("192.0.2.1")] }, 512));
  });
  udp.bind(0, "127.0.0.1");
  await once(udp, "listening");
  const { responder } = serving(udp.address().port);
  const { answers } = await told(responder.respond(question("www.example.com"), "udp"));
  assert.deepEqual(answers, ["www.example.com 1 300 192.0.2.1"]);
});

test("no message, however it is made, fails more than itself", async (t) => {
  const { port } = await upstream(t, internet);
  const { responder, errors } = serving(port, { servers: [] });
  const random = seededRandom(7);
  const below = (limit: number): number => Math.floor(random() * limit);
  const good = [
    "web.default.svc.cluster.local",
    "out.default.svc.cluster.local",
    "7.0.96.10.in-addr.arpa",
    "x.y",
  ].map((name) => question(name, name.endsWith("arpa") ? TYPES.PTR : TYPES.A));
  const answers = Array.from({ length: 30_000 }, (_, round) => {
    const message = Buffer.from(good[round % good.length]!);
    for (let changes = 1 + below(4); changes > 0; changes--) message[below(message.length)] = below(256);
    return responder.respond(
      message.subarray(0, below(3) === 0 ? below(message.length) : message.length),
      "udp",
    );
  });
  for (const answer of await Promise.all(answers)) {
    if (answer) assert.ok(answer.message.length >= 12 && answer.message.length <= 1232);
  }
  assert.deepEqual(errors, []);
});

test("without resolvers the rest of the world is a failure", async (t) => {
  const { port } = await upstream(t, internet);
  const { responder } = serving(port, { servers: [] });
  assert.equal((await told(responder.respond(question("www.example.com"), "udp"))).rcode, RCODES.SERVFAIL);
});

test("a resolver that asks us in its turn is found by its question", async (t) => {
  const { port, asked } = await upstream(t, internet);
  const { responder, loops, looping } = serving(port);
  const probe = loops.probe("192.0.2.53");
  assert.equal(
    (await told(responder.respond(question(probe.name, probe.type), "udp"))).rcode,
    RCODES.REFUSED,
  );
  assert.deepEqual(looping, ["192.0.2.53"]);
  assert.deepEqual(asked, []);
});

test("what is not for us is refused, each in its way", async (t) => {
  const { port } = await upstream(t, internet);
  const { responder } = serving(port);
  const code = async (message: Buffer) => (await told(responder.respond(message, "udp"))).rcode;
  assert.equal(await code(question("cluster.local", 252)), RCODES.REFUSED);
  assert.equal(await code(question("version.bind", TYPES.TXT, 3)), RCODES.REFUSED);
  assert.equal(await code(question("web.default.svc.cluster.local", 255)), RCODES.NOTIMP);
  assert.equal(responder.respond(Buffer.from("x"), "udp"), undefined);
});

test("a bug answers that we failed, and the next question is answered", async (t) => {
  const { port } = await upstream(t, internet);
  const { errors, responder } = serving(port);
  const bug = new Error("bug");
  t.mock.method(objects, "service", () => {
    throw bug;
  });
  assert.equal(
    (await told(responder.respond(question("web.default.svc.cluster.local"), "udp"))).rcode,
    RCODES.SERVFAIL,
  );
  assert.deepEqual(errors, [bug]);
  t.mock.restoreAll();
  assert.equal((await told(responder.respond(question("web.default.svc.cluster.local"), "udp"))).rcode, 0);
});
