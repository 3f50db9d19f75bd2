/** What containerd is configured with, for a daemon that shares nothing with another one of the machine. */

export interface ContainerdSettings {
  /** The program's version, as `containerd --version` tells it: `1.6.20`. */
  version: string;
  /** Images and snapshots, which stay. */
  root: string;
  /** Of what is running now. */
  state: string;
  socket: string;
  cni: { binDir: string; confDir: string };
  sandboxImage: string;
  /** A folder a registry: `<dir>/docker.io/hosts.toml`. */
  registryDir: string;
  /** Whether the kernel forbids that scores fall below what a process has: without CAP_SYS_RESOURCE. */
  restrictOOMScore: boolean;
}

/**
 * The version in what `containerd --version` says: the program, where it is from, and its version, to which releases and
 * distributions add what they like (`v2.1.4`, `1.6.20~ds1`, `2.1.9+unknown`). One that says none is taken for a new one.
 */
export function containerdVersion(told: string): string {
  return /\sv?(\d+\.\d+\.\d+)/.exec(told)?.[1] ?? "2.0.0";
}

/** Its configuration file: of version 3 for containerd 2, of version 2 for what is older. */
export function containerdConfiguration(settings: ContainerdSettings): string {
  return isSince(settings, 2) ? version3(settings) : version2(settings);
}

function isSince({ version }: ContainerdSettings, major: number, minor = 0): boolean {
  const [ofMajor = 0, ofMinor = 0] = version.split(".").map(Number);
  return ofMajor > major || (ofMajor === major && ofMinor >= minor);
}

/** Snapshotters that need devices and file systems of their own; they are never used, and looking for them takes time. */
const UNUSED = ["aufs", "btrfs", "devmapper", "zfs", "blockfile", "erofs"].map(
  (name) => `io.containerd.snapshotter.v1.${name}`,
);

function head(version: number, settings: ContainerdSettings): string {
  const { root, state, socket } = settings;
  return `version = ${version}
root = ${text(root)}
state = ${text(state)}
disabled_plugins = [${UNUSED.map(text).join(", ")}, "io.containerd.tracing.processor.v1.otlp"]

[grpc]
  address = ${text(socket)}

[plugins."io.containerd.internal.v1.opt"]
  path = ${text(`${root}/opt`)}
`;
}

function version2(settings: ContainerdSettings): string {
  const { cni, sandboxImage, registryDir, restrictOOMScore } = settings;
  return `${head(2, settings)}
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(sandboxImage)}
  restrict_oom_score_adj = ${restrictOOMScore}
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${text(cni.binDir)}
    conf_dir = ${text(cni.confDir)}
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${text(registryDir)}
`;
}

function version3(settings: ContainerdSettings): string {
  const { cni, sandboxImage, registryDir, restrictOOMScore } = settings;
  // There may be several since 2.1, and the older name is to go.
  const binDir = isSince(settings, 2, 1)
    ? `bin_dirs = [${text(cni.binDir)}]`
    : `bin_dir = ${text(cni.binDir)}`;
  return `${head(3, settings)}
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = ${text(sandboxImage)}
[plugins."io.containerd.cri.v1.images".registry]
  config_path = ${text(registryDir)}

[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = ${restrictOOMScore}
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    ${binDir}
    conf_dir = ${text(cni.confDir)}
`;
}

/** A basic string of TOML. */
function text(value: string): string {
  return JSON.stringify(value);
}
