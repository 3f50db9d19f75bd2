import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import type { CertificateSigningRequest } from "../../api/certificates/certificate-signing-request.ts";
import {
  commonNameOf,
  isSignedByItsKey,
  requestOf,
  whyNoKubeletClient,
  whyNoKubeletServing,
} from "./request.ts";
import { makeRequest } from "./testing/make-request.ts";

/** Made by OpenSSL, with an RSA key and names of every sort. */
const BY_OPENSSL = `-----BEGIN CERTIFICATE REQUEST-----
MIICwjCCAaoCAQAwMDEVMBMGA1UECgwMc3lzdGVtOm5vZGVzMRcwFQYDVQQDDA5z
eXN0ZW06bm9kZTpuMTCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEBAMOQ
iTVSirb0jQdMCCPgXG3K0QHiOdXSPfVd+lW7bNayNHhP3SuF7+myOjx4vWYzVgrl
3hI0a7nGI4Z94lS0UX90TQ2hrX2zcQRzDdkgWWft074l6b+CRXs+YGrGikXCtlwX
OjAkLU6EiZGPgMfKbg4jBK2BA4jDKh+O6Rkzo1hra2eC46pzGyQAdRB3rv6mBbQY
MxGS0z78GpVrR7K9xkzkHQFaZKpQ/foboBtz4ce4u73jjLsjRdW24D8GPktHmoU/
2uajGXAzMqptj2XLLwfMCW1YxS2aEwMBWB742R5fduHTG3RBcvGYMhhT/PO1dJ2w
MJNqlbfrFjrUubiP7g8CAwEAAaBNMEsGCSqGSIb3DQEJDjE+MDwwOgYDVR0RBDMw
MYICbjGHBMAAAgGHECABDbgAAAAAAAAAAAAAAAGBBWFAYi5jhgxzcGlmZmU6Ly94
L3kwDQYJKoZIhvcNAQELBQADggEBAHQkb79zNY0oVoLIM6PWjpIbkOyeO+TG10f9
KL1BUtJL6Lx0xUr26/0YbH6xooK7IQvpIM+se8Gxtpcoxnks9SPp2p39gWqWQG4H
j74EoP/JPTwJhXQPokz2LB2sLBoHuMWBVmEGFR5DTe64d/OT6vHS10jzVZWIxfij
ZP/ET0fMjLn99mWJLJv3DwN8GlpH1fBBQvUXRpxrCeoorLY59DHM1m+yi8qGBO/6
xR6v/4dvQRG07St5UiZcRPT2C0bjklLmkivYquewBhpdjFtYUTxifUuT/Ge0Y5TS
JEArBD+6obHDqCKnCj6JORnkjg28MkMb+X3YmAv/Pn45ki660Ds=
-----END CERTIFICATE REQUEST-----
`;

function csr(request: string): CertificateSigningRequest {
  return {
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name: "c" },
    spec: { request, signerName: "example.com/s" },
  };
}

const CLIENT = ["digital signature", "key encipherment", "client auth"];
const SERVING = ["digital signature", "server auth"];
const NODE = { commonName: "system:node:n1", organizations: ["system:nodes"] };

test("requestOf reads what OpenSSL writes, and its signature holds", () => {
  const request = requestOf(csr(Buffer.from(BY_OPENSSL).toString("base64")));
  assert.equal(commonNameOf(request), "system:node:n1");
  assert.deepEqual(request.dnsNames, ["n1"]);
  assert.deepEqual(request.emails, ["a@b.c"]);
  assert.deepEqual(request.uris, ["spiffe://x/y"]);
  assert.deepEqual(
    request.ipAddresses.map((address) => address.length),
    [4, 16],
  );
  assert.ok(isSignedByItsKey(request));
  const wrong = { ...request, signed: request.signed.with(20, request.signed[20]! ^ 1) };
  assert.ok(!isSignedByItsKey(wrong));
});

test("requestOf refuses what is no request", () => {
  assert.throws(() => requestOf(csr("")), /PEM block type must be CERTIFICATE REQUEST/);
  const pem = Buffer.from(BY_OPENSSL.replace(/MII.*\n/, "AAAA\n"));
  assert.throws(() => requestOf(csr(pem.toString("base64"))), { name: "DerError" });
  const bytes = Buffer.from(BY_OPENSSL.split("\n").slice(1, -2).join(""), "base64");
  for (let length = 0; length < bytes.length; length += 7) {
    const text = bytes.subarray(0, length).toString("base64");
    const cut = `-----BEGIN CERTIFICATE REQUEST-----\n${text}\n-----END CERTIFICATE REQUEST-----\n`;
    assert.throws(() => requestOf(csr(Buffer.from(cut).toString("base64"))), { name: "DerError" });
  }
});

test("isSignedByItsKey is false where another key signed", () => {
  const { privateKey: forger } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  assert.ok(isSignedByItsKey(requestOf(csr(makeRequest(NODE).request))));
  assert.ok(!isSignedByItsKey(requestOf(csr(makeRequest({ ...NODE, forger }).request))));
});

test("whyNoKubeletClient takes a node's request without names, and says what is wrong with others", () => {
  const why = (parts: object, usages = CLIENT) =>
    whyNoKubeletClient(requestOf(csr(makeRequest({ ...NODE, ...parts }).request)), usages);
  assert.equal(why({}), undefined);
  assert.equal(why({}, ["client auth", "digital signature"]), undefined);
  assert.equal(why({ organizations: ["system:masters"] }), "subject organization is not system:nodes");
  assert.equal(
    why({ organizations: ["system:nodes", "system:masters"] }),
    "subject organization is not system:nodes",
  );
  assert.equal(why({ dnsNames: ["n1"] }), "DNS subjectAltNames are not allowed");
  assert.equal(why({ ipAddresses: [Uint8Array.of(1, 2, 3, 4)] }), "IP subjectAltNames are not allowed");
  assert.equal(why({ commonName: "admin" }), "subject common name does not begin with system:node:");
  assert.equal(why({}, SERVING), "usages did not match [client auth digital signature key encipherment]");
});

test("whyNoKubeletServing asks for a name or an address", () => {
  const why = (parts: object, usages = SERVING) =>
    whyNoKubeletServing(requestOf(csr(makeRequest({ ...NODE, ...parts }).request)), usages);
  assert.equal(why({ dnsNames: ["n1"] }), undefined);
  assert.equal(why({}), "DNS or IP subjectAltName is required");
  assert.equal(
    why({ dnsNames: ["n1"] }, CLIENT),
    "usages did not match [digital signature key encipherment server auth]",
  );
  const email = requestOf(csr(Buffer.from(BY_OPENSSL).toString("base64")));
  assert.equal(whyNoKubeletServing(email, SERVING), "Email subjectAltNames are not allowed");
});
