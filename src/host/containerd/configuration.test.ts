import assert from "node:assert/strict";
import test from "node:test";
import { containerdConfiguration, containerdVersion } from "./configuration.ts";

const SETTINGS = {
  version: "1.6.20",
  root: "/data/containerd",
  state: "/run/k/state",
  socket: "/run/k/containerd.sock",
  cni: { binDir: "/opt/cni/bin", confDir: "/data/cni" },
  sandboxImage: "localhost/pause:1",
  registryDir: '/data/"odd"',
  restrictOOMScore: true,
};

test("containerdVersion finds the version behind what distributions and releases write around it", () => {
  const versions = [
    ["containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+b1", "1.6.20"],
    [
      "containerd github.com/containerd/containerd v1.7.27 05044ec0a9a75232cad458027ca83437aae3f4da",
      "1.7.27",
    ],
    [
      "containerd github.com/containerd/containerd/v2 v2.1.4 75cb2b7193e4e490e9fbdc236c0e811ccaba3376",
      "2.1.4",
    ],
    ["containerd github.com/containerd/containerd/v2 2.1.9+unknown \n", "2.1.9"],
    ["containerd containerd.io 1.7.27 05044ec0a9a75232cad458027ca83437aae3f4da", "1.7.27"],
    ["containerd of one's own", "2.0.0"],
  ] as const;
  for (const [told, version] of versions) assert.equal(containerdVersion(told), version);
});

test("containerdConfiguration is of version 2 for containerd 1.6 and 1.7", () => {
  for (const version of ["1.6.20", "1.7.27"]) {
    const text = containerdConfiguration({ ...SETTINGS, version });
    assert.match(text, /^version = 2\nroot = "\/data\/containerd"\nstate = "\/run\/k\/state"\n/);
    assert.match(
      text,
      /^\[plugins\."io\.containerd\.grpc\.v1\.cri"\]\n {2}sandbox_image = "localhost\/pause:1"$/m,
    );
    assert.match(text, /^ {2}restrict_oom_score_adj = true$/m);
    assert.match(text, /^ {4}bin_dir = "\/opt\/cni\/bin"\n {4}conf_dir = "\/data\/cni"$/m);
    assert.match(text, /^ {4}config_path = "\/data\/\\"odd\\""$/m);
  }
});

test("containerdConfiguration keeps network namespaces with the rest of what runs", () => {
  for (const version of ["1.6.20", "2.1.4"])
    assert.match(
      containerdConfiguration({ ...SETTINGS, version }),
      /^ {2}netns_mounts_under_state_dir = true$/m,
    );
});

test("containerdConfiguration is of version 3 for containerd 2, whose CRI is two plugins", () => {
  const text = containerdConfiguration({ ...SETTINGS, version: "2.1.4", restrictOOMScore: false });
  assert.match(text, /^version = 3\n/);
  assert.match(
    text,
    /^\[plugins\."io\.containerd\.cri\.v1\.images"\.pinned_images\]\n {2}sandbox = "localhost\/pause:1"$/m,
  );
  assert.match(
    text,
    /^\[plugins\."io\.containerd\.cri\.v1\.runtime"\]\n {2}restrict_oom_score_adj = false$/m,
  );
  assert.doesNotMatch(text, /grpc\.v1\.cri/);
});

test("containerdConfiguration names the directory of CNI plugins as the version knows it", () => {
  const names = [
    ["2.0.5", 'bin_dir = "/opt/cni/bin"'],
    ["2.1.0", 'bin_dirs = ["/opt/cni/bin"]'],
    ["3.0.0", 'bin_dirs = ["/opt/cni/bin"]'],
  ] as const;
  for (const [version, line] of names)
    assert.ok(containerdConfiguration({ ...SETTINGS, version }).includes(`    ${line}\n    conf_dir = `));
});
