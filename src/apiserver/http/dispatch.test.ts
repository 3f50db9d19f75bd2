import assert from "node:assert/strict";
import { test } from "node:test";
import { dispatchTo } from "./dispatch.ts";
import type { Exchange } from "./exchange.ts";

const answer = { headers() {}, data() {}, end() {} };

test("dispatchTo shows the certificate that its user has at each request", () => {
  const seen: (Exchange["certificate"] | "closed")[] = [];
  let certificate = { raw: new Uint8Array([1]) };
  const dispatch = dispatchTo(
    (exchange) => {
      seen.push(exchange.certificate);
      exchange.onClose(() => seen.push("closed"));
    },
    () => certificate,
  );
  const old = certificate;
  const abort = dispatch({ method: "GET", url: "/" }, answer);
  certificate = { raw: new Uint8Array([2]) };
  dispatch({ method: "GET", url: "/" }, answer);
  abort();
  assert.deepEqual(seen, [old, certificate, "closed"]);
  assert.equal(seen[0], old);
});

test("dispatchTo shows no certificate where it is given none", () => {
  let seen: Exchange | undefined;
  dispatchTo((exchange) => {
    seen = exchange;
  })({ method: "GET", url: "/api?limit=1", headers: { authorization: "Bearer t" } }, answer);
  assert.equal(seen?.certificate, undefined);
  assert.equal(seen?.header("authorization"), "Bearer t");
  assert.equal(seen?.query, "limit=1");
});
