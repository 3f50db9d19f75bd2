import assert from "node:assert/strict";
import test from "node:test";
import type { Secret } from "../../api/core/secret.ts";
import { credentialsFor, keyringOf, keyringOfSecret } from "./keyring.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const entry = (name: string) => ({ auth: base64(`${name}:secret`) });

function usersFor(locations: readonly string[], image: string): (string | undefined)[] {
  const keyring = keyringOf({
    auths: Object.fromEntries(locations.map((name) => [name, entry(name.replace(/:/g, ";"))])),
  });
  return credentialsFor(keyring, image).map(({ credentials }) => credentials.username);
}

test("keyringOfSecret reads both types of pull secrets", () => {
  const secret = (type: string, key: string, value: unknown): Secret => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: {},
    type,
    data: { [key]: base64(JSON.stringify(value)) },
  });
  const auths = { "https://registry.example.com/v2/": { auth: base64("me:pass:word") } };
  const want = [
    {
      location: "registry.example.com",
      credentials: { username: "me", password: "pass:word", identityToken: "", registryToken: "" },
    },
  ];
  assert.deepEqual(
    keyringOfSecret(secret("kubernetes.io/dockerconfigjson", ".dockerconfigjson", { auths })),
    want,
  );
  assert.deepEqual(keyringOfSecret(secret("kubernetes.io/dockercfg", ".dockercfg", auths)), want);
  assert.deepEqual(keyringOfSecret(secret("Opaque", ".dockercfg", auths)), []);
});

test("credentialsFor matches hosts part by part, ports whole and paths by their beginning", () => {
  assert.deepEqual(usersFor(["*.example.com"], "a.example.com/web"), ["*.example.com"]);
  assert.deepEqual(usersFor(["*.example.com"], "example.com/web"), []);
  assert.deepEqual(usersFor(["*.example.com"], "a.b.example.com/web"), []);
  assert.deepEqual(usersFor(["re?istry-*.io"], "registry-eu.io/web"), ["re?istry-*.io"]);
  assert.deepEqual(usersFor(["a.io"], "a.io:5000/web"), []);
  assert.deepEqual(usersFor(["a.io:5000"], "a.io:5000/web"), ["a.io;5000"]);
  assert.deepEqual(usersFor(["a.io/team"], "a.io/team/web"), ["a.io/team"]);
  assert.deepEqual(usersFor(["a.io/team"], "a.io/other/web"), []);
});

test("credentialsFor gives those of the longest path first", () => {
  assert.deepEqual(usersFor(["a.io", "a.io/team/web", "a.io/team"], "a.io/team/web"), [
    "a.io/team/web",
    "a.io/team",
    "a.io",
  ]);
});

test("credentialsFor takes those of Docker Hub for images without a registry's name", () => {
  const hub = "https://index.docker.io/v1/";
  const users = usersFor([hub, "a.io"], "docker.io/library/busybox");
  assert.deepEqual(users, ["https;//index.docker.io/v1/"]);
  assert.deepEqual(usersFor([hub], "a.io/busybox"), []);
});

test("keyringOf refuses credentials that are not a user and a password", () => {
  assert.throws(
    () => keyringOf({ auths: { "a.io": { auth: base64("nothing") } } }),
    /unable to parse auth field/,
  );
});
