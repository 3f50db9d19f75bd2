import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError } from "../command.ts";
import { findingsOfRules, firewallFindings } from "./firewall-findings.ts";

const PODS = ["10.244.0.0/16", "fd00:10:244::/56"];

const chain = (family: string, table: string, name: string, hook?: string, policy = "accept") => ({
  chain: { family, table, name, ...(hook && { hook, policy }) },
});
const accepts = (place: string, addr: string, len: number) => {
  const [family, table, name] = place.split(" ");
  const match = { right: { prefix: { addr, len } } };
  return { rule: { family, table, chain: name, expr: [{ match }, { accept: null }] } };
};
const found = (...nftables: object[]) => findingsOfRules(JSON.stringify({ nftables }), PODS);

test("a machine without a firewall has none, and one whose firewall knows the pods none that matters", () => {
  assert.deepEqual(found(), []);
  assert.deepEqual(found(chain("ip", "filter", "INPUT", "input"), chain("ip", "filter", "mine")), []);
  const shut = chain("inet", "filter", "input", "input", "drop");
  assert.deepEqual(
    found(
      shut,
      accepts("inet filter mine", "10.244.0.0", 16),
      accepts("inet filter input", "fd00:10:244::", 56),
    ),
    [],
  );
});

test("ufw is told in its own words, of the family that its table is of", () => {
  const [finding, ...more] = found(
    chain("ip", "filter", "INPUT", "input", "drop"),
    chain("ip", "filter", "ufw-user-input"),
    chain("ip", "filter", "FORWARD", "forward", "drop"),
    accepts("ip filter FORWARD", "10.244.0.0", 16),
    accepts("ip kybern pods", "10.244.0.0", 16),
  );
  assert.deepEqual(more, [], "pods are let through FORWARD by the pod network itself");
  assert.match(finding!.what, /ip filter INPUT.*neither the API server nor the DNS/);
  assert.equal(finding!.fix, "let them in: `ufw allow from 10.244.0.0/16`");
});

test("firewalld is told in its own words, though its chains' policy is to accept", () => {
  const [finding] = found({ table: { family: "inet", name: "firewalld" } });
  assert.match(finding!.fix, /--zone=trusted --add-source=10\.244\.0\.0\/16 --add-source=fd00:10:244::\/56 /);
});

test("rules of one's own get one for each family, and for both directions of what is forwarded", () => {
  const [input, forward] = found(
    chain("inet", "mine", "in", "input", "drop"),
    chain("inet", "mine", "forward", "forward", "drop"),
    accepts("inet mine any", "fd00:10:244::", 56),
  );
  assert.match(input!.fix, /: `nft insert rule inet mine in ip saddr 10\.244\.0\.0\/16 accept`$/);
  assert.match(forward!.what, /drops what this machine forwards/);
  assert.match(
    forward!.fix,
    /ip saddr 10\.244\.0\.0\/16 accept` and `.* ip daddr 10\.244\.0\.0\/16 accept`$/,
  );
});

test("nothing is found where the rules cannot be read", async () => {
  const failing = async (): Promise<string> => {
    throw new CommandError("nft", 1, "not permitted");
  };
  assert.deepEqual(await firewallFindings(PODS, failing), []);
});
