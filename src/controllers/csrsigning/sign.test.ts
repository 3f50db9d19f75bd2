import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import type { CertificateSigningRequest } from "../../api/certificates/certificate-signing-request.ts";
import { issueCertificate, makeAuthority, validity } from "../../cluster/pki/certificate.ts";
import { requestOf } from "../certificate-requests/request.ts";
import { makeRequest } from "../certificate-requests/testing/make-request.ts";
import { openAuthority, SIGNERS, validityOf } from "./sign.ts";

const T0 = Date.parse("2026-01-01T00:00:00Z");
const HOUR = 3_600_000;
const YEAR_LATER = T0 + 10 * 365 * 24 * HOUR;

function request(parts: Parameters<typeof makeRequest>[0]) {
  return requestOf({ spec: makeRequest(parts) } as unknown as CertificateSigningRequest);
}

test("a signed certificate has the request's subject, names and key, and the usages of the object", () => {
  const authority = makeAuthority("kubernetes", new Date(T0));
  const sign = openAuthority(authority);
  const made = makeRequest({
    commonName: "system:node:n1",
    organizations: ["system:nodes"],
    dnsNames: ["n1"],
    ipAddresses: [Uint8Array.of(192, 0, 2, 1)],
  });
  const parsed = requestOf({ spec: made } as unknown as CertificateSigningRequest);
  const usages = ["digital signature", "key encipherment", "server auth"];
  const certificate = new X509Certificate(
    sign({ request: parsed, usages, expirationSeconds: 3600, now: T0 }),
  );
  const issuer = new X509Certificate(authority.certificate);
  assert.ok(certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey));
  assert.ok(certificate.checkPrivateKey(made.key));
  assert.equal(certificate.subject, "O=system:nodes\nCN=system:node:n1");
  assert.equal(certificate.subjectAltName, "DNS:n1, IP Address:192.0.2.1");
  assert.deepEqual(certificate.keyUsage, ["1.3.6.1.5.5.7.3.1"]);
  assert.equal(certificate.ca, false);
  assert.equal(certificate.validFromDate.getTime(), T0 - 5 * 60_000);
  assert.equal(certificate.validToDate.getTime(), T0 + HOUR);
});

test("every certificate has a serial number of its own", () => {
  const sign = openAuthority(makeAuthority("kubernetes", new Date(T0)));
  const signing = { request: request({ commonName: "u" }), usages: ["client auth"], expirationSeconds: 600 };
  const serials = [1, 2, 3].map(() => new X509Certificate(sign({ ...signing, now: T0 })).serialNumber);
  assert.equal(new Set(serials).size, 3);
});

test("validityOf keeps to what was asked, at least ten minutes and at most a year and the signer's own time", () => {
  const until = (seconds: number | undefined, authority = YEAR_LATER) =>
    validityOf(T0, seconds, authority).notAfter.getTime() - T0;
  assert.equal(until(600), 600_000);
  assert.equal(until(1), 600_000);
  assert.equal(until(7 * 3600), 7 * HOUR);
  assert.equal(until(24 * 3600), 24 * HOUR - 5 * 60_000);
  assert.equal(until(undefined), 365 * 24 * HOUR - 5 * 60_000);
  assert.equal(until(10 * 365 * 24 * 3600), 365 * 24 * HOUR - 5 * 60_000);
  assert.equal(until(undefined, T0 + HOUR), HOUR);
  assert.throws(() => until(600, T0), /the signer has expired/);
});

test("kube-apiserver-client signs for client auth and nothing that a client does not need", () => {
  const why = SIGNERS.get("kubernetes.io/kube-apiserver-client")!;
  const any = request({ commonName: "u" });
  assert.equal(why(any, ["client auth"]), undefined);
  assert.equal(why(any, ["client auth", "server auth"]), "invalid usage for client certificate: server auth");
  assert.equal(why(any, ["digital signature"]), "missing required usage for client certificate: client auth");
});

test("an authority that is no certificate is refused when it is opened", () => {
  const { key } = makeAuthority("kubernetes", new Date(T0));
  assert.throws(() => openAuthority({ certificate: "", key }), /no certificate/);
  const authority = makeAuthority("kubernetes", new Date(T0));
  const leaf = issueCertificate(authority, {
    subject: { commonName: "x" },
    usage: "client",
    ...validity(new Date(T0), 1),
  });
  assert.throws(() => openAuthority({ certificate: leaf.certificate, key: "none" }));
});
