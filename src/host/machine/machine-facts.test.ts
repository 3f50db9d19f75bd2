import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { defaultRoutes, followedAddresses, nodeAddresses } from "./addresses.ts";
import { prettyName, readMachineFacts } from "./machine-facts.ts";

test("readMachineFacts reads what the kernel and the system say, and leaves empty what nobody says", async (t) => {
  const root = mkdtempSync(join(tmpdir(), "kybern-machine-"));
  t.after(() => rmSync(root, { recursive: true }));
  const files = {
    "proc/meminfo": "MemTotal:       24684084 kB\nMemFree: 1 kB\nSwapTotal: 0 kB\n",
    "proc/sys/kernel/osrelease": "6.1.0\n",
    "proc/stat": "cpu 1 2\nbtime 1700000000\n",
    "etc/machine-id": "abc\n",
    "etc/os-release": 'NAME=x\nPRETTY_NAME="Debian GNU/Linux 12"\n',
    "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "3\n",
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  const { architecture, ...facts } = await readMachineFacts(root, 2);
  assert.ok(architecture.length > 0);
  assert.deepEqual(facts, {
    cores: 2,
    memoryBytes: 24_684_084 * 1024,
    swapBytes: 0,
    hugepages: new Map([[2 ** 21, 3 * 2 ** 21]]),
    machineID: "abc",
    systemUUID: "abc",
    bootID: "",
    kernelVersion: "6.1.0",
    osImage: "Debian GNU/Linux 12",
    operatingSystem: "linux",
    bootedAt: 1_700_000_000_000,
  });
});

test("prettyName takes off quotes, and has a word where there is no name", () => {
  assert.equal(prettyName("PRETTY_NAME='A B'"), "A B");
  assert.equal(prettyName("PRETTY_NAME=Arch"), "Arch");
  assert.equal(prettyName(""), "Linux");
});

test("nodeAddresses are those of the default route, IPv4 before IPv6", () => {
  const routes = defaultRoutes(
    [
      "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT",
      "slow0\t00000000\t010200C0\t0003\t0\t0\t600\t00000000\t0\t0\t0",
      "eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0",
      "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
    ].join("\n"),
    "",
  );
  assert.deepEqual(routes, ["eth0", "slow0"]);
  const address = (name: string, address: string, family: "IPv4" | "IPv6") => ({
    interface: name,
    address,
    family,
  });
  const all = [
    address("docker0", "172.17.0.1", "IPv4"),
    address("eth0", "2001:db8::1", "IPv6"),
    address("eth0", "192.0.2.7", "IPv4"),
  ];
  assert.deepEqual(nodeAddresses(all, routes), ["192.0.2.7"]);
  assert.deepEqual(nodeAddresses(all.slice(0, 2), routes), ["2001:db8::1"]);
  assert.deepEqual(nodeAddresses([], routes), []);
});

test("nodeAddresses are of links that lead out where there is no default route", () => {
  const address = (name: string, address: string, family: "IPv4" | "IPv6" = "IPv4") => ({
    interface: name,
    address,
    family,
  });
  const inner = [address("docker0", "172.17.0.1"), address("kybern.1", "10.244.1.0")];
  assert.deepEqual(nodeAddresses(inner, []), []);
  const outer = [address("eth0", "2001:db8::1", "IPv6"), address("eth0", "192.0.2.7")];
  assert.deepEqual(nodeAddresses([...inner, ...outer], []), ["192.0.2.7"]);
  // The plug of the interface with the default route is pulled: it has no address that works.
  assert.deepEqual(nodeAddresses(inner, ["eth0"]), []);
});

test("followedAddresses tell those that there were while there are none", () => {
  let now = ["192.0.2.7"];
  const addresses = followedAddresses(undefined, () => now);
  assert.deepEqual(addresses(), ["192.0.2.7"]);
  now = [];
  assert.deepEqual(addresses(), ["192.0.2.7"]);
  now = ["192.0.2.8"];
  assert.deepEqual(addresses(), ["192.0.2.8"]);
  assert.deepEqual(followedAddresses("192.0.2.1", () => now)(), ["192.0.2.1"]);
});

test("defaultRoutes know those of IPv6", () => {
  const zero = "0".repeat(32);
  const line = (name: string, metric: string) =>
    `${zero} 00 ${zero} 00 fe800000000000000000000000000001 ${metric} 00000001 00000000 00000003     ${name}`;
  assert.deepEqual(defaultRoutes("", [line("lo", "ffffffff"), line("eth1", "00000400")].join("\n")), [
    "eth1",
  ]);
});
