import assert from "node:assert/strict";
import { test } from "node:test";
import type { CertificateSigningRequest } from "../api/certificates/certificate-signing-request.ts";
import { makeAuthority } from "../cluster/pki/certificate.ts";
import { neededUntil } from "./certificatesigningrequest-cleaner-controller.ts";

const T0 = Date.parse("2026-01-01T00:00:00Z");
const HOUR = 3_600_000;

function until(status: CertificateSigningRequest["status"]): number | undefined {
  const at = neededUntil({
    apiVersion: "certificates.k8s.io/v1",
    kind: "CertificateSigningRequest",
    metadata: { name: "c", creationTimestamp: new Date(T0).toISOString() },
    spec: { request: "", signerName: "" },
    status,
  });
  return at === undefined ? undefined : at - T0;
}

const decided = (type: string) => ({
  type,
  status: "True",
  lastUpdateTime: new Date(T0 + HOUR).toISOString(),
});

test("a request is needed for a day, an hour after its decision, and no longer than its certificate", () => {
  const { certificate: pem } = makeAuthority("x", new Date(T0 - 3650 * 24 * HOUR));
  const expired = Buffer.from(pem).toString("base64");
  const certificate = Buffer.from("no certificate").toString("base64");
  assert.equal(until({}), 24 * HOUR);
  assert.equal(until({ conditions: [decided("Denied")] }), 2 * HOUR);
  assert.equal(until({ conditions: [decided("Approved")] }), undefined);
  assert.equal(until({ conditions: [decided("Approved"), decided("Failed")] }), 2 * HOUR);
  assert.equal(until({ certificate, conditions: [decided("Approved")] }), 2 * HOUR);
  assert.equal(until({ certificate: expired, conditions: [decided("Approved")] }), 0);
});
