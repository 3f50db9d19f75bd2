import assert from "node:assert/strict";
import { once } from "node:events";
import test from "node:test";
import { connect } from "node:tls";
import { AUTHORITY_DAYS, issueCertificate, makeAuthority, validity } from "../../cluster/pki/certificate.ts";
import type { Exchange } from "./exchange.ts";
import { serve } from "./server.ts";

function makeCertificates() {
  const now = new Date();
  const authority = makeAuthority("test", now);
  const subject = { commonName: "test" };
  const usage = "server" as const;
  const of = validity(now, AUTHORITY_DAYS);
  const { certificate, key } = issueCertificate(authority, {
    subject,
    usage,
    ...of,
    addresses: ["127.0.0.1"],
  });
  return { cert: certificate, key, clientCA: [authority.certificate] };
}

test("a server that closes answers the request that came before the answer to the last one was sent", async (t) => {
  const both = Promise.withResolvers<void>();
  const asked: Exchange[] = [];
  const server = await serve({
    host: "127.0.0.1",
    port: 0,
    certificates: makeCertificates(),
    handler: (exchange) => {
      if (asked.push(exchange) === 2) both.resolve();
    },
  });
  const client = connect({ port: server.port, host: "127.0.0.1", rejectUnauthorized: false });
  t.after(() => client.destroy());
  const ended = once(client, "close");
  let received = "";
  const first = Promise.withResolvers<void>();
  client.on("data", (data) => {
    received += String(data);
    if (received.includes("first")) first.resolve();
  });
  const request = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  client.write(request("/1") + request("/2"));
  await both.promise;
  asked[0]!.respond(200, { "content-length": 5 }, "first");
  await first.promise;
  const closed = server.close(60_000);
  asked[1]!.respond(200, { "content-length": 6 }, "second");
  await Promise.all([closed, ended]);
  assert.match(received, /second$/);
});
