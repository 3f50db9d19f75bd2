import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connectionOf, readConnection } from "./connection.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

const CONFIG = `
apiVersion: v1
kind: Config
current-context: first
clusters:
- name: one
  cluster: {server: "https://one:6443", certificate-authority-data: ${base64("CA")}, tls-server-name: one.example}
- name: two
  cluster: {server: "https://two:6443", certificate-authority: ca.crt}
users:
- name: admin
  user: {client-certificate-data: ${base64("CERT")}, client-key-data: ${base64("KEY")}}
- name: robot
  user: {token: secret-token}
- name: other
  user: {exec: {command: login}, token: secret-token}
contexts:
- name: first
  context: {cluster: one, user: admin}
- name: second
  context: {cluster: two, user: robot, namespace: work}
- name: third
  context: {cluster: two, user: other}
- name: lost
  context: {cluster: two, user: nobody}
`;

test("a kubeconfig leads to its current context's server, authority and certificate", async () => {
  assert.deepEqual(await connectionOf(CONFIG), {
    server: "https://one:6443",
    ca: "CA",
    cert: "CERT",
    key: "KEY",
    token: undefined,
    serverName: "one.example",
    insecureSkipVerify: false,
    namespace: "default",
  });
});

test("a kubeconfig's files are looked for beside it", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "kybern-kubeconfig-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "ca.crt"), "CA OF A FILE");
  await writeFile(join(folder, "config"), CONFIG);
  const { ca, token, namespace } = await readConnection(join(folder, "config"), "second");
  assert.deepEqual([ca, token, namespace], ["CA OF A FILE", "secret-token", "work"]);
});

test("a kubeconfig that cannot be used says why, and never shows a credential", async () => {
  const cases: [string, string | undefined, RegExp][] = [
    [CONFIG, "third", /^TypeError: users that log in by exec are not supported$/],
    [CONFIG, "none", /^TypeError: the kubeconfig has no context "none"$/],
    [CONFIG, "lost", /^TypeError: the kubeconfig has no user "nobody"$/],
    ["clusters: []", undefined, /^TypeError: the kubeconfig has no current-context$/],
    ["[]", undefined, /^TypeError: the kubeconfig is not a mapping$/],
  ];
  for (const [text, context, message] of cases)
    await assert.rejects(connectionOf(text, { context }), message);
});
