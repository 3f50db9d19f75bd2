import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { StatusError } from "../../machinery/status/status-error.ts";
import { BodyReader } from "./body-reader.ts";

function reasonOf(read: Promise<Uint8Array>): Promise<string> {
  return read.then(
    () => "",
    (error: unknown) => (error instanceof StatusError ? error.reason : String(error)),
  );
}

test("BodyReader gives up a body that does not end", async () => {
  const source = new PassThrough();
  source.write("half of");
  assert.equal(await reasonOf(new BodyReader(source, 100, "200000").read(1)), "RequestEntityTooLarge");
  assert.equal(await reasonOf(new BodyReader(source, 100, "20").read(1)), "Timeout");
  assert.equal(source.listenerCount("data"), 0);
});

test("BodyReader refuses a body that its client stopped half way", async () => {
  const source = new PassThrough();
  const read = reasonOf(new BodyReader(source, 100, undefined).read());
  source.write("half of");
  source.destroy();
  assert.equal(await read, "BadRequest");
});

test("BodyReader stops at the limit, whatever length was announced", async () => {
  const source = new PassThrough();
  const read = reasonOf(new BodyReader(source, 10, "3").read());
  source.write("more than ten bytes");
  assert.equal(await read, "RequestEntityTooLarge");
});
