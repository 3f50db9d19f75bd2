import assert from "node:assert/strict";
import test from "node:test";
import { addressFindings } from "./address-findings.ts";
import { cannotRunContainers, findingsOf } from "./findings.ts";
import { type Machine, parseRelease } from "./machine.ts";

const GIB = 2 ** 30;
const FINE: Machine = {
  platform: "linux",
  arch: "x64",
  root: true,
  kernel: "6.1.0",
  distribution: { name: "Debian GNU/Linux 12 (bookworm)", family: ["debian"] },
  cpus: 2,
  memoryBytes: 4 * GIB,
  cgroups: { version: 2, lacks: [] },
  kernelLacks: [],
  programsLacking: [],
  cniBinDir: "/usr/lib/cni",
  disk: { freeBytes: 50 * GIB, sizeBytes: 100 * GIB },
  takenPorts: [],
  otherNodes: [],
};

const of = (change: Partial<Machine>, ownRuntime = true) =>
  findingsOf({ ...FINE, ...change }, { ownRuntime });

test("findingsOf finds nothing at a machine that has all", () => {
  assert.deepEqual(of({}), []);
});

test("findingsOf names the packages of what is not installed, and how to install them", () => {
  const [finding] = of({ programsLacking: ["containerd", "nft"], cniBinDir: undefined });
  assert.equal(finding?.level, "error");
  assert.deepEqual(finding?.packages, ["containerd", "nftables", "containernetworking-plugins"]);
  assert.match(finding?.fix ?? "", /apt-get install containerd nftables containernetworking-plugins$/);
  const [elsewhere] = of({
    programsLacking: ["nft"],
    distribution: { name: "Fedora Linux 43", family: ["fedora"] },
  });
  assert.match(elsewhere?.fix ?? "", /Fedora Linux 43/);
});

test("findingsOf asks for no containerd where another runtime is used", () => {
  assert.deepEqual(of({ programsLacking: ["containerd", "runc"], cniBinDir: undefined }, false), []);
});

test("findingsOf puts errors before warnings, and says of each what helps", () => {
  const findings = of({
    cgroups: { version: 1, lacks: ["memory"] },
    kernelLacks: ["vxlan"],
    takenPorts: [{ port: 6443, purpose: "the API server" }],
    otherNodes: [{ name: "k3s", pid: 7 }],
    disk: { freeBytes: 5 * GIB, sizeBytes: 100 * GIB },
    memoryBytes: GIB / 4,
  });
  assert.deepEqual(
    findings.map(({ level }) => level),
    ["error", "error", "warning", "warning", "warning", "warning"],
  );
  assert.match(findings[0]!.fix, /modprobe vxlan/);
  assert.match(findings[1]!.what, /port 6443/);
});

test("findingsOf tells of an nftables that is too old, but not of one that is missing twice", () => {
  const nftLacks = "nftables cannot do what is needed here: syntax error";
  assert.deepEqual(
    of({ nftLacks }).map(({ level, what }) => [level, what]),
    [["error", nftLacks]],
  );
  assert.equal(of({ nftLacks, programsLacking: ["nft"] }).length, 1);
  assert.equal(of({ nftLacks, kernelLacks: ["nf_tables"] }).length, 1);
});

test("findingsOf takes a full disk for an error", () => {
  const [finding] = of({ disk: { freeBytes: GIB / 10, sizeBytes: 100 * GIB } });
  assert.deepEqual([finding?.level, /full/.test(finding?.what ?? "")], ["error", true]);
});

test("cannotRunContainers says why, and nothing where they can run", () => {
  assert.match(cannotRunContainers({ platform: "darwin", root: true }) ?? "", /Linux/);
  assert.match(cannotRunContainers({ platform: "linux", root: false }) ?? "", /root/);
  assert.equal(cannotRunContainers(FINE), undefined);
});

test("addressFindings tells an address that lies in a range of the cluster, in its own family alone", () => {
  const ranges = {
    "cluster-cidr": ["10.244.0.0/16", "fd00::/48"],
    "service-cluster-ip-range": ["10.96.0.0/12"],
  };
  const [finding, ...more] = addressFindings(["192.0.2.1", "10.99.77.2", "::1"], ranges);
  assert.deepEqual(more, []);
  assert.match(finding?.what ?? "", /10\.99\.77\.2 lies in 10\.96\.0\.0\/12/);
  const both = { ...ranges, "service-cluster-ip-range": ["10.96.0.0/12", "fd01::/112"] };
  assert.match(addressFindings(["fd00::7"], both)[0]?.what ?? "", /fd00::7 lies in fd00::\/48/);
});

test("addressFindings wants networks of the family that the machine is of", () => {
  const four = { "cluster-cidr": ["10.244.0.0/16"], "service-cluster-ip-range": ["10.96.0.0/12"] };
  assert.deepEqual(addressFindings(["2001:db8::1"], four), [
    {
      level: "error",
      what: "this machine's address 2001:db8::1 is of IPv6, and --cluster-cidr 10.244.0.0/16 and --service-cluster-ip-range 10.96.0.0/12 are not",
      fix: "give networks of its family, as --cluster-cidr fd00:10:244::/56 --service-cluster-ip-range fd00:10:96::/112",
    },
  ]);
  const mixed = { ...four, "cluster-cidr": ["fd00:10:244::/56"] };
  assert.deepEqual(addressFindings(["192.0.2.1"], mixed), [
    {
      level: "error",
      what: "this machine's address 192.0.2.1 is of IPv4, and --cluster-cidr fd00:10:244::/56 is not",
      fix: "give networks of its family, as --cluster-cidr 10.244.0.0/16",
    },
  ]);
  assert.deepEqual(addressFindings(["192.0.2.1"], four), []);
  assert.deepEqual(addressFindings(["2001:db8::1"], {}), [], "of an agent, whose server knows them");
});

test("addressFindings warns of a machine that nobody reaches", () => {
  const [finding, ...more] = addressFindings([], { "cluster-cidr": ["10.244.0.0/16"] });
  assert.deepEqual(more, []);
  assert.equal(finding?.level, "warning");
  assert.match(finding?.what ?? "", /no network address but that of its loopback/);
});

test("parseRelease reads names with and without quotes, and the families of derivatives", () => {
  assert.deepEqual(parseRelease('PRETTY_NAME="Ubuntu 24.04 LTS"\nID=ubuntu\nID_LIKE=debian\n'), {
    name: "Ubuntu 24.04 LTS",
    family: ["ubuntu", "debian"],
  });
  assert.deepEqual(parseRelease("NAME='Alpine Linux'\nID=alpine\n"), {
    name: "Alpine Linux",
    family: ["alpine"],
  });
});
