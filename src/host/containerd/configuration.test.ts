import assert from "node:assert/strict";
import test from "node:test";
import { containerdConfiguration } from "./configuration.ts";

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
