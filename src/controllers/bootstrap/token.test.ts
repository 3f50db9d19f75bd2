import assert from "node:assert/strict";
import { test } from "node:test";
import type { Secret } from "../../api/core/secret.ts";
import { detachedSignature, expiryOf, signedData, signingToken } from "./token.ts";

const T0 = Date.parse("2026-01-01T00:00:00Z");

function secret(data: Record<string, string>, name = "bootstrap-token-abcdef"): Secret {
  const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
  return { apiVersion: "v1", kind: "Secret", metadata: { name }, data: Object.fromEntries(encoded) };
}

const TOKEN = { "token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-signing": "true" };

test("detachedSignature signs as upstream does", () => {
  const content = "Hello from the other side. I must have called a thousand times.";
  assert.equal(
    detachedSignature(content, { id: "joshua", secret: "my voice is my passcode" }),
    "eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9..VShe2taLd-YTrmWuRkcL_8QTNDHYxQIEBsAYYiIj1_8",
  );
});

test("signingToken takes a token that is complete, not expired, and made for signing", () => {
  assert.deepEqual(signingToken(secret(TOKEN), T0), { id: "abcdef", secret: "0123456789abcdef" });
  assert.equal(signingToken(secret(TOKEN, "bootstrap-token-other"), T0), undefined);
  assert.equal(signingToken(secret({ ...TOKEN, "usage-bootstrap-signing": "false" }), T0), undefined);
  assert.equal(signingToken(secret({ ...TOKEN, expiration: "2025-12-31T23:59:59Z" }), T0), undefined);
  assert.ok(signingToken(secret({ ...TOKEN, expiration: "2026-01-01T00:00:01Z" }), T0));
  assert.equal(signingToken(secret({ ...TOKEN, "token-secret": "" }), T0), undefined);
});

test("expiryOf counts what cannot be read as passed", () => {
  assert.equal(expiryOf(secret(TOKEN)), undefined);
  assert.equal(expiryOf(secret({ expiration: "2026-01-01T01:00:00+01:00" })), T0);
  assert.equal(expiryOf(secret({ expiration: "tomorrow" })), Number.NEGATIVE_INFINITY);
});

test("signedData adds and removes signatures, and changes nothing that is right", () => {
  const token = { id: "abcdef", secret: "0123456789abcdef" };
  assert.equal(signedData({ other: "x" }, [token]), undefined);
  const signed = signedData({ kubeconfig: "text", "jws-kubeconfig-gone00": "old" }, [token]);
  assert.deepEqual(Object.keys(signed ?? {}), ["kubeconfig", "jws-kubeconfig-abcdef"]);
  assert.equal(signedData(signed, [token]), undefined);
  assert.deepEqual(signedData(signed, []), { kubeconfig: "text" });
});
