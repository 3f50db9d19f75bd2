import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { Link } from "../../host/links/links.ts";
import { cniConfig, removeCNIConfig, writeCNIConfig } from "./cni-config.ts";
import { overlayRules } from "./overlay-table.ts";
import { entriesOf, macOf, PUBLIC_IP, peerOf, podCIDR } from "./peer.ts";
import { tunnelCommands, tunnelMTU } from "./tunnel.ts";

const cidr = (text: string) => podCIDR(text)!;
const node = (name: string, podCIDRs: string[], ip?: string): Node => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, annotations: ip === undefined ? {} : { [PUBLIC_IP]: ip } },
  spec: { podCIDRs },
});

test("podCIDR gives the network and its own address, canonical", () => {
  assert.deepEqual(podCIDR("10.244.1.7/24"), { family: 4, cidr: "10.244.1.0/24", address: "10.244.1.0" });
  assert.deepEqual(podCIDR("FD00:1::/64"), { family: 6, cidr: "fd00:1::/64", address: "fd00:1::" });
  for (const wrong of ["", "10.0.0.0", "::ffff:10.0.0.0/120", "10.0.0.0/24\nroute del default"]) {
    assert.equal(podCIDR(wrong), undefined, wrong);
  }
});

test("peerOf wants pod networks and an address of the tunnels' family", () => {
  assert.deepEqual(peerOf(node("b", ["10.244.2.0/24"], "192.0.2.2"), 4), {
    podCIDRs: [{ family: 4, cidr: "10.244.2.0/24", address: "10.244.2.0" }],
    publicIP: "192.0.2.2",
    mac: macOf("b"),
  });
  assert.equal(peerOf(node("b", ["10.244.2.0/24"]), 4), undefined);
  assert.equal(peerOf(node("b", ["10.244.2.0/24"], "2001:db8::2"), 4), undefined);
  assert.equal(peerOf(node("b", ["10.244.2.0/24"], "192.0.2.2; x"), 4), undefined);
  assert.equal(peerOf(node("b", [], "192.0.2.2"), 4), undefined);
});

test("macOf gives each name an address of its own, local and of one receiver", () => {
  assert.match(macOf("a"), /^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/);
  assert.equal(macOf("a"), macOf("a"));
  assert.notEqual(macOf("a"), macOf("b"));
});

test("entriesOf leads to both families of a peer by one forwarding entry", () => {
  const peer = peerOf(node("b", ["10.244.2.0/24", "fd00:2::/64"], "192.0.2.2"), 4)!;
  const { routes, neighbours, forwarding } = entriesOf([peer]);
  assert.deepEqual(
    [...routes],
    [
      ["10.244.2.0/24", "10.244.2.0"],
      ["fd00:2::/64", "fd00:2::"],
    ],
  );
  assert.deepEqual([...neighbours.values()], [peer.mac, peer.mac]);
  assert.deepEqual([...forwarding], [[peer.mac, "192.0.2.2"]]);
});

const over: Link = { name: "eth0", mtu: 1500, isUp: true, addresses: ["192.0.2.1/24"] };
const tunnel = {
  link: "kybern.1",
  mac: "02:00:00:00:00:01",
  local: "192.0.2.1",
  podCIDRs: [cidr("10.244.1.0/24"), cidr("fd00:1::/64")],
  vni: 1,
  port: 8472,
};
const made: Link = {
  name: "kybern.1",
  mtu: 1450,
  mac: tunnel.mac,
  isUp: true,
  addresses: ["10.244.1.0/32", "fd00:1::/128"],
  vxlan: { vni: 1, local: "192.0.2.1", over: "eth0", port: 8472, learning: false },
};

test("tunnelCommands makes a link that is missing, and nothing of one that is right", () => {
  const commands = [
    "link add kybern.1 address 02:00:00:00:00:01 mtu 1450 type vxlan id 1 local 192.0.2.1 dev eth0 dstport 8472 nolearning",
    "link set dev kybern.1 addrgenmode none",
    "address add 10.244.1.0/32 dev kybern.1",
    "address add fd00:1::/128 dev kybern.1 nodad",
    "link set dev kybern.1 up",
  ];
  assert.deepEqual(tunnelCommands(tunnel, undefined, over, 1450), commands);
  assert.deepEqual(tunnelCommands(tunnel, made, over, 1450), []);
});

test("tunnelCommands changes what can be changed, and makes the rest anew", () => {
  const other = {
    ...made,
    mtu: 1400,
    mac: "02:00:00:00:00:09",
    addresses: ["10.244.7.0/32", "fd00:1::/128"],
  };
  assert.deepEqual(tunnelCommands(tunnel, other, over, 1450), [
    "link set dev kybern.1 address 02:00:00:00:00:01",
    "link set dev kybern.1 mtu 1450",
    "address del 10.244.7.0/32 dev kybern.1",
    "address add 10.244.1.0/32 dev kybern.1",
  ]);
  const moved = { ...made, vxlan: { ...made.vxlan!, local: "192.0.2.7" } };
  assert.deepEqual(tunnelCommands(tunnel, moved, over, 1450).slice(0, 2), [
    "link del dev kybern.1",
    tunnelCommands(tunnel, undefined, over, 1450)[0],
  ]);
  assert.deepEqual(tunnelCommands(tunnel, over, over, 1450)[0], "link del dev kybern.1");
});

test("tunnelMTU leaves room for what tunnels add", () => {
  assert.equal(tunnelMTU(1500, 4), 1450);
  assert.equal(tunnelMTU(1500, 6), 1430);
});

test("overlayRules masquerade what leaves the cluster, in each family, and let only nodes in", () => {
  const { chains, sets } = overlayRules({
    podCIDRs: [cidr("10.244.1.0/24"), cidr("fd00:1::/64")],
    clusterCIDRs: [cidr("10.244.0.0/16"), cidr("fd00::/48")],
    vni: 1,
    port: 8472,
    tunnelFamily: 4,
  });
  assert.deepEqual(chains?.get("postrouting")?.rules, [
    "ip saddr 10.244.1.0/24 ip daddr 10.244.0.0/16 accept",
    "ip saddr 10.244.1.0/24 ip daddr 10.244.1.0/24 accept",
    "ip saddr 10.244.1.0/24 ip daddr 224.0.0.0/4 accept",
    "ip saddr 10.244.1.0/24 masquerade fully-random",
    "ip6 saddr fd00:1::/64 ip6 daddr fd00::/48 accept",
    "ip6 saddr fd00:1::/64 ip6 daddr fd00:1::/64 accept",
    "ip6 saddr fd00:1::/64 ip6 daddr ff00::/8 accept",
    "ip6 saddr fd00:1::/64 masquerade fully-random",
  ]);
  assert.deepEqual(chains?.get("input")?.rules, ["udp dport 8472 @th,96,24 1 ip saddr != @peers drop"]);
  assert.equal(sets?.get("peers")?.definition, "type ipv4_addr;");
});

test("writeCNIConfig replaces the file in one step, and leaves alone what is the same", async (t) => {
  const directory = join(await mkdtemp(join(tmpdir(), "kybern-cni-")), "net.d");
  t.after(() => rm(join(directory, ".."), { recursive: true }));
  const text = cniConfig({
    name: "kybern",
    mtu: 1450,
    podCIDRs: [cidr("10.244.1.0/24")],
    addresses: "/run/x",
  });
  await writeCNIConfig(directory, "10-kybern.conflist", text);
  const path = join(directory, "10-kybern.conflist");
  assert.equal(await readFile(path, "utf8"), text);
  const { ino } = await stat(path);
  await writeCNIConfig(directory, "10-kybern.conflist", text);
  assert.equal((await stat(path)).ino, ino);
  assert.deepEqual(await readdir(directory), ["10-kybern.conflist"]);
  assert.deepEqual(JSON.parse(text).plugins[0], {
    type: "ptp",
    mtu: 1450,
    ipMasq: false,
    ipam: {
      type: "host-local",
      dataDir: "/run/x",
      ranges: [[{ subnet: "10.244.1.0/24" }]],
      routes: [{ dst: "0.0.0.0/0" }],
    },
  });
  await removeCNIConfig(directory, "10-kybern.conflist");
  await removeCNIConfig(directory, "10-kybern.conflist");
  assert.deepEqual(await readdir(directory), []);
});
