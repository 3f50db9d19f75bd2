import assert from "node:assert/strict";
import { test } from "node:test";
import { writeAnswer } from "./answer.ts";
import { RCODES, TYPES } from "./constants.ts";
import { encodeName, readName } from "./name.ts";
import { type Query, readQuery } from "./query.ts";
import { nameRecord, soaRecord, srvRecord, txtRecord } from "./record.ts";
import { answersQuestion, lifetimeOf, readResponse, writeForwarded, writeResponse } from "./response.ts";
import { takeAnswers } from "./take-records.ts";

/** A query for A of `name`, as it is; with an OPT record of this size. */
function queryFor(name: string, size?: number): Buffer {
  const head = Buffer.from("123401000001000000000000", "hex");
  const question = Buffer.concat([Buffer.from(encodeName(name)!), Buffer.from([0, 1, 0, 1])]);
  if (size === undefined) return Buffer.concat([head, question]);
  head.writeUInt16BE(1, 10);
  const opt = Buffer.from("0000290000000080000000", "hex");
  opt.writeUInt16BE(size, 3);
  return Buffer.concat([head, question, opt]);
}

const a = (last: number) => ({ type: TYPES.A, ttl: 30, data: Uint8Array.of(10, 0, 0, last) });

test("readName gives lower case and escapes, and ends behind the name", () => {
  const bytes = Buffer.from("\x03WwW\x02a.\x00rest", "latin1");
  assert.deepEqual(readName(bytes, 0), { name: "www.a\\.", end: 8, isCompressed: false });
  assert.deepEqual(readName(Uint8Array.of(0), 0), { name: "", end: 1, isCompressed: false });
});

test("readName follows pointers backwards only, so that none leads in circles", () => {
  const bytes = Buffer.from("\x01a\x00\x01b\xc0\x00!", "latin1");
  assert.deepEqual(readName(bytes, 3), { name: "b.a", end: 7, isCompressed: true });
  for (const loop of ["\xc0\x00", "\x01a\xc0\x00", "\xc0\x02\xc0\x00", "\xc0\x04\x01a\xc0\x02"]) {
    assert.equal(readName(Buffer.from(loop, "latin1"), 0), undefined);
  }
});

test("readName refuses what ends too early or is too long", () => {
  for (const wrong of ["", "\x03ab", "\x01a", "\xc0", "\x40a", "\x80"]) {
    assert.equal(readName(Buffer.from(wrong, "latin1"), 0), undefined, JSON.stringify(wrong));
  }
  const long = Buffer.from(`${"\x01a".repeat(127)}\x00`, "latin1");
  assert.equal(readName(long, 0)?.name.length, 253);
  assert.equal(readName(Buffer.from(`${"\x01a".repeat(128)}\x00`, "latin1"), 0), undefined);
});

test("encodeName and readName undo each other", () => {
  for (const name of [
    "",
    "a",
    "web.default.svc.cluster.local",
    "a\\.b.c",
    "\\\\.x",
    "\xe4.de",
    "a".repeat(63),
  ]) {
    const encoded = encodeName(name);
    assert.equal(encoded && readName(encoded, 0)?.name, name);
    assert.equal(encoded && readName(encoded, 0)?.end, encoded?.length);
  }
  for (const wrong of ["a..b", ".a", "a.", "a".repeat(64), "ж", "a\\", `${"a.".repeat(127)}aa`]) {
    assert.equal(encodeName(wrong), undefined, wrong);
  }
});

test("readQuery reads the question and what the client can take", () => {
  const query = readQuery(queryFor("Web.Default", 4096)) as Query;
  assert.equal(query.name, "web.default");
  assert.deepEqual([query.id, query.type, query.class], [0x1234, 1, 1]);
  assert.deepEqual(query.edns, { size: 4096, wantsDNSSEC: true });
  assert.deepEqual(Buffer.from(query.question), queryFor("Web.Default").subarray(12));
  assert.equal((readQuery(queryFor("x", 10)) as Query).edns?.size, 512);
  assert.equal((readQuery(queryFor("x")) as Query).edns, undefined);
});

test("readQuery answers nothing to answers and fragments, and a code to what is wrong", () => {
  const good = queryFor("x", 1232);
  const changed = (at: number, ...bytes: number[]): Buffer => {
    const copy = Buffer.from(good);
    copy.set(bytes, at);
    return copy;
  };
  assert.equal(readQuery(good.subarray(0, 11)), undefined);
  assert.equal(readQuery(changed(2, 0x81)), undefined);
  const code = (message: Buffer): unknown => (readQuery(message) as { rcode?: number }).rcode;
  assert.equal(code(changed(2, 0x29)), RCODES.NOTIMP);
  assert.equal(code(changed(4, 0, 2)), RCODES.FORMERR);
  assert.equal(code(changed(4, 0, 0)), RCODES.FORMERR);
  assert.equal(code(changed(12, 0xc0, 0x00)), RCODES.FORMERR);
  assert.equal(code(changed(10, 0, 2)), RCODES.FORMERR);
  assert.equal(code(good.subarray(0, good.length - 1)), RCODES.FORMERR);
  assert.equal(code(changed(good.length - 5, 1)), RCODES.BADVERS);
});

test("writeAnswer points to the question, and shows its letters as they came", () => {
  const query = readQuery(queryFor("WEB")) as Query;
  const message = writeAnswer(query, { rcode: 0, answers: [a(1)], isAuthoritative: true }, 512);
  assert.equal(
    message.toString("hex"),
    "123485800001000100000000" +
      "0357454200" +
      "00010001" +
      "c00c" +
      "00010001" +
      "0000001e" +
      "0004" +
      "0a000001",
  );
});

test("writeAnswer cuts answers between records and says so, and further records without a word", () => {
  const query = readQuery(queryFor("web", 512)) as Query;
  const many = Array.from({ length: 100 }, (_, i) => a(i));
  const cut = writeAnswer(query, { rcode: 0, answers: many, additional: [a(1)] }, 512);
  assert.ok(cut.length <= 512 && cut.length > 480);
  const response = readResponse(cut)!;
  assert.equal(cut.readUInt16BE(2) & 0x0200, 0x0200);
  assert.equal(response.counts[0], cut.readUInt16BE(6));
  assert.equal(response.counts[2], 0);
  const further = writeAnswer(query, { rcode: 0, answers: [a(1)], additional: many }, 512);
  assert.equal(further.readUInt16BE(2) & 0x0200, 0);
  assert.ok(readResponse(further)!.counts[2] > 20);
  assert.ok(further.length <= 512);
});

test("writeAnswer writes the whole code where the client can read it", () => {
  const bad = { id: 1, flags: 0, edns: { size: 1232, wantsDNSSEC: false } };
  const response = readResponse(
    Buffer.concat([writeAnswer({ ...bad, question: queryFor("x").subarray(12) }, { rcode: 16 }, 512)]),
  );
  assert.equal(response?.rcode, 16);
});

test("records of all kinds are read as they were written", () => {
  const query = readQuery(queryFor("x")) as Query;
  const soa = {
    name: "c",
    server: "s.c",
    mailbox: "m.c",
    serial: 1,
    refresh: 2,
    retry: 3,
    expire: 4,
    minimum: 5,
  };
  const answers = [
    srvRecord(30, { priority: 1, weight: 2, port: 3, target: "t.x" }),
    nameRecord("CNAME", 30, "other.x"),
    txtRecord(30, "1.1.0"),
    { ...a(1), name: "y.x" },
  ];
  const message = writeAnswer(query, { rcode: 0, answers, authority: [soaRecord(9, soa)] }, 512);
  const response = readResponse(message)!;
  assert.deepEqual(
    takeAnswers(response).map(({ name, type, data }) => [name, type, Buffer.from(data).toString("latin1")]),
    [
      ["x", 33, "\x00\x01\x00\x02\x00\x03\x01t\x01x\x00"],
      ["x", 5, "\x05other\x01x\x00"],
      ["x", 16, "\x051.1.0"],
      ["y.x", 1, "\x0a\x00\x00\x01"],
    ],
  );
  assert.equal(lifetimeOf(response), 9);
});

test("lifetimeOf takes what is not there from the zone, and nothing where the zone says nothing", () => {
  const query = readQuery(queryFor("x")) as Query;
  const soa = {
    name: "c",
    server: "s",
    mailbox: "m",
    serial: 1,
    refresh: 2,
    retry: 3,
    expire: 4,
    minimum: 5,
  };
  const lifetime = (rcode: number, authority: ReturnType<typeof soaRecord>[]) =>
    lifetimeOf(readResponse(writeAnswer(query, { rcode, authority }, 512))!);
  assert.equal(lifetime(RCODES.NXDOMAIN, [soaRecord(60, soa)]), 5);
  assert.equal(lifetime(RCODES.NOERROR, [soaRecord(3, soa)]), 3);
  assert.equal(lifetime(RCODES.NXDOMAIN, []), undefined);
  assert.equal(lifetime(RCODES.SERVFAIL, [soaRecord(60, soa)]), undefined);
});

test("writeResponse gives a kept answer to another client: its question, identifier, time and size", () => {
  const first = readQuery(queryFor("WWW.x", 1232)) as Query;
  const many = Array.from({ length: 60 }, (_, i) => a(i));
  const kept = readResponse(writeAnswer(first, { rcode: 0, answers: many }, 65535))!;
  const second = { ...(readQuery(queryFor("www.X")) as Query), id: 7 };
  assert.ok(answersQuestion(kept, second));
  assert.ok(!answersQuestion(kept, { ...second, type: 28 }));
  const whole = writeResponse(second, kept, 10, 65535);
  assert.equal(whole.readUInt16BE(0), 7);
  assert.deepEqual(whole.subarray(12, 12 + second.question.length), Buffer.from(second.question));
  assert.equal(lifetimeOf(readResponse(whole)!), 20);
  assert.equal(readResponse(whole)!.counts[0], 60);
  assert.equal(lifetimeOf(readResponse(writeResponse(second, kept, 100, 65535))!), 0);
  const cut = writeResponse(second, kept, 0, 512);
  assert.ok(cut.length <= 512);
  assert.equal(cut.readUInt16BE(2) & 0x0200, 0x0200);
  assert.equal(readResponse(cut)!.counts[0], cut.readUInt16BE(6));
});

test("a forwarded question is the client's own, with our options", () => {
  const query = readQuery(queryFor("Web", 4000)) as Query;
  const asked = readQuery(writeForwarded(query, 99)) as Query;
  assert.deepEqual([asked.id, asked.name, asked.edns], [99, "web", { size: 1232, wantsDNSSEC: true }]);
  assert.deepEqual(Buffer.from(asked.question), Buffer.from(query.question));
});

test("whatever is read does not throw, and what is answered can be read", () => {
  let state = 12345;
  const random = (): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 16;
  };
  const query = readQuery(queryFor("web.default", 1232)) as Query;
  const good = [
    queryFor("web.default.svc", 1232),
    writeAnswer(query, { rcode: 0, answers: [a(1), nameRecord("CNAME", 1, "x.y")], authority: [a(2)] }, 512),
    Buffer.from("0001818000010001000000000161c00c00010001c00cc00e00010001", "hex"),
  ];
  for (let round = 0; round < 20_000; round++) {
    const message = Buffer.from(good[round % good.length]!);
    for (let changes = 1 + (random() % 4); changes > 0; changes--)
      message[random() % message.length] = random() & 255;
    const cut = message.subarray(0, random() % 3 === 0 ? random() % message.length : message.length);
    const read = readQuery(cut);
    if (read && !("rcode" in read)) {
      const answer = writeAnswer(read, { rcode: 0, answers: [a(1)] }, 512);
      assert.ok(readResponse(answer), cut.toString("hex"));
    }
    const response = readResponse(cut);
    if (!response) continue;
    takeAnswers(response);
    lifetimeOf(response);
    assert.ok(writeResponse(query, response, 3, 512).length <= 512);
  }
});
