import assert from "node:assert/strict";
import { test } from "node:test";
import { isProxyable, proxyableAddress } from "./addresses.ts";
import { proxyPath } from "./connect-options.ts";
import { splitName } from "./split-name.ts";

test("a proxy connects to addresses of pods and nodes, not to this machine nor to its links", () => {
  for (const good of [
    "10.0.0.1",
    "192.168.1.1",
    "172.16.0.1",
    "8.8.8.8",
    "fd00::1",
    "2001:db8::1",
    "::ffff:10.0.0.1",
  ]) {
    assert.equal(isProxyable(good), true, good);
  }
  for (const bad of [
    ...[
      "127.0.0.1",
      "127.255.255.254",
      "0.0.0.0",
      "169.254.169.254",
      "224.0.0.1",
      "255.255.255.255",
      "240.0.0.1",
    ],
    ...["::", "::1", "0:0:0:0:0:0:0:1", "fe80::1", "FE80::1", "febf::1", "ff02::1", "::ffff:127.0.0.1"],
    ...[
      "::ffff:7f00:1",
      "::127.0.0.1",
      "::ffff:169.254.169.254",
      "::ffff:0.0.0.0",
      "",
      "localhost",
      "1.2.3",
      "[::1]",
    ],
  ]) {
    assert.equal(isProxyable(bad), false, bad);
  }
});

test("a name is looked up once, and every address of it must be allowed", async () => {
  let asked = 0;
  const lookup =
    (...addresses: string[]) =>
    async (): Promise<string[]> => {
      asked++;
      return addresses;
    };
  assert.equal(await proxyableAddress("a.example", lookup("10.0.0.1", "10.0.0.2")), "10.0.0.1");
  assert.equal(asked, 1);
  await assert.rejects(proxyableAddress("a.example", lookup("10.0.0.1", "127.0.0.1")), /address not allowed/);
  await assert.rejects(proxyableAddress("a.example", lookup()), /no addresses for hostname/);
  await assert.rejects(
    proxyableAddress("a.example", () => Promise.reject(new Error("ENOTFOUND"))),
    /no addresses for hostname/,
  );
  asked = 0;
  assert.equal(await proxyableAddress("10.0.0.3", lookup("127.0.0.1")), "10.0.0.3");
  assert.equal(asked, 0);
});

test("what a proxy reaches is named as scheme, name and port", () => {
  assert.deepEqual(splitName("web"), { scheme: "", name: "web", port: "" });
  assert.deepEqual(splitName("web:80"), { scheme: "", name: "web", port: "80" });
  assert.deepEqual(splitName("https:web:page"), { scheme: "https", name: "web", port: "page" });
  assert.deepEqual(splitName("http:web:"), { scheme: "http", name: "web", port: "" });
  for (const wrong of ["", ":80", "ftp:web:21", "http::80", "a:b:c:d"])
    assert.equal(splitName(wrong), undefined, wrong);
});

test("the path below a proxy is what was sent", () => {
  const pod = "/api/v1/namespaces/n/pods/http:p:80/proxy";
  const node = "/api/v1/nodes/n/proxy";
  for (const root of [pod, node]) {
    assert.deepEqual(proxyPath(root), { root, below: "" });
    assert.deepEqual(proxyPath(`${root}/`), { root, below: "/" });
    assert.deepEqual(proxyPath(`${root}/a%2Fb//c/`), { root, below: "/a%2Fb//c/" });
  }
});
