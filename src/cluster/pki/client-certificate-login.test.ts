/** Certificates made here, told apart by authentication. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import type { Finding } from "../../auth/authentication/method.ts";
import { requestHeaderMethod } from "../../auth/authentication/request-header.ts";
import { x509Method } from "../../auth/authentication/x509.ts";
import { VirtualClock } from "../../base/clock.ts";
import { issueCertificate, type KeyPair, makeAuthority, validity } from "./certificate.ts";
import { issueClientCertificate } from "./issue-client-certificate.ts";

const DAY = 24 * 3_600_000;
const start = Date.parse("2026-05-01T12:00:00Z");
const now = new Date(start);
const ca = makeAuthority("kubernetes", now);

function peer({ certificate }: Pick<KeyPair, "certificate">): X509Certificate {
  return new X509Certificate(certificate);
}

function credentials(peerCertificate: X509Certificate, headers: Record<string, string[]> = {}) {
  return { path: "/api", peerCertificate, headers: () => headers };
}

function userOf(finding: Finding) {
  assert.ok(finding && "user" in finding);
  return finding.user;
}

function isRefused(finding: Finding): void {
  assert.ok(finding && "refused" in finding);
}

test("a client certificate names its user, groups and fingerprint", () => {
  const method = x509Method({ bundle: ca.certificate, clock: new VirtualClock(start) });
  const jane = peer(issueClientCertificate({ ca, name: "jane", groups: ["dev", "ops"], now }));
  const user = userOf(method.authenticate(credentials(jane)));
  const fingerprint = jane.fingerprint256.replaceAll(":", "").toLowerCase();
  assert.deepEqual(user, {
    name: "jane",
    groups: ["dev", "ops", "system:authenticated"],
    extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${fingerprint}`] },
  });
  assert.equal(userOf(method.authenticate(credentials(jane))), user, "the same user object each time");
});

test("a client certificate is refused outside its time, from another authority, and for servers", () => {
  const clock = new VirtualClock(start);
  const method = x509Method({ bundle: ca.certificate, clock });
  const jane = peer(issueClientCertificate({ ca, name: "jane", now, days: 1 }));
  assert.equal(userOf(method.authenticate(credentials(jane))).name, "jane");
  clock.advance(DAY + 1);
  isRefused(method.authenticate(credentials(jane)));

  const other = makeAuthority("kubernetes", now);
  isRefused(method.authenticate(credentials(peer(issueClientCertificate({ ca: other, name: "jane", now })))));
  const subject = { commonName: "jane" };
  const server = issueCertificate(ca, { subject, usage: "server", ...validity(now, 10) });
  isRefused(method.authenticate(credentials(peer(server))));
  const future = new Date(start + 30 * DAY);
  isRefused(
    method.authenticate(credentials(peer(issueClientCertificate({ ca, name: "jane", now: future })))),
  );
});

test("a new bundle of authorities counts at once", () => {
  const method = x509Method({ bundle: ca.certificate, clock: new VirtualClock(start) });
  const other = makeAuthority("next", now);
  const old = peer(issueClientCertificate({ ca, name: "old", now }));
  const next = peer(issueClientCertificate({ ca: other, name: "next", now }));
  isRefused(method.authenticate(credentials(next)));
  method.trust(`${ca.certificate}${other.certificate}`);
  assert.equal(userOf(method.authenticate(credentials(next))).name, "next");
  method.trust(other.certificate);
  isRefused(method.authenticate(credentials(old)));
});

test("headers of a front proxy count only with its own certificate", () => {
  const frontCA = makeAuthority("front-proxy-ca", now);
  const clock = new VirtualClock(start);
  const method = requestHeaderMethod({
    bundle: frontCA.certificate,
    allowedNames: ["front-proxy-client"],
    clock,
  });
  const headers = {
    "x-remote-user": ["jane"],
    "x-remote-group": ["dev", "a, b"],
    "x-remote-extra-acme.com%2fproject": ["x"],
  };
  const proxy = peer(issueClientCertificate({ ca: frontCA, name: "front-proxy-client", now }));
  assert.deepEqual(userOf(method.authenticate(credentials(proxy, headers))), {
    name: "jane",
    groups: ["dev", "a, b", "system:authenticated"],
    extra: Object.assign(Object.create(null), { "acme.com/project": ["x"] }),
  });
  assert.equal(method.authenticate(credentials(proxy)), undefined);
  for (const stranger of [
    issueClientCertificate({ ca: frontCA, name: "somebody", now }),
    issueClientCertificate({ ca, name: "front-proxy-client", now }),
  ]) {
    assert.equal(method.authenticate(credentials(peer(stranger), headers)), undefined);
  }
});
