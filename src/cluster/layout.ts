/** Where a cluster's server and node keep things, all of it by one data directory. */
import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";

export interface Layout {
  /** What must stay: keys, objects, images. */
  dataDir: string;
  /** What is of use until the machine is started again: sockets, process ids, locks. */
  runDir: string;
  logDir: string;
  pki: string;
  adminConfig: string;
  /** How `kybern up` or `kybern join` was told to run, for the times after. */
  settings: string;
  statusSocket: string;
  supervisorPid: string;
  programPid: string;
  /** Of the program, with what it says before it can say it itself. */
  log: string;
  containerd: { root: string; run: string; log: string };
  /** One folder a registry, as containerd reads them: `<dir>/docker.io/hosts.toml`. */
  registries: string;
  cniConfDir: string;
  /** Volumes of the default StorageClass. */
  storage: string;
  /** Of the agent of a machine that joined. */
  nodeConfig: string;
  kubelet: { root: string; podLogs: string; containerLogs: string; staticPods: string };
  /** Of the control groups of pods, upstream's --cgroup-root: several nodes on a machine have one each. */
  cgroupRoot: string;
}

/** Where the system's own directories are; others in tests. */
const STANDARD = "/var/lib/kybern";

/**
 * With the standard data directory the others are those that the system has for the purpose, and the kubelet's are
 * upstream's, which agents that collect logs and volume drivers look into. With any other all is below it.
 */
export function layoutOf(dataDir: string): Layout {
  const standard = dataDir === STANDARD;
  const runDir = standard ? "/run/kybern" : join(dataDir, "run");
  const logDir = standard ? "/var/log/kybern" : join(dataDir, "logs");
  return {
    dataDir,
    runDir,
    logDir,
    pki: join(dataDir, "pki"),
    adminConfig: join(dataDir, "admin.conf"),
    settings: join(dataDir, "up.json"),
    statusSocket: join(runDir, "status.sock"),
    supervisorPid: join(runDir, "supervisor.pid"),
    programPid: join(runDir, "program.pid"),
    log: join(logDir, "kybern.log"),
    containerd: {
      root: join(dataDir, "containerd"),
      run: join(runDir, "containerd"),
      log: join(logDir, "containerd.log"),
    },
    registries: join(dataDir, "registries"),
    cniConfDir: join(dataDir, "cni"),
    storage: join(dataDir, "storage"),
    nodeConfig: join(dataDir, "kubelet.conf"),
    kubelet: standard
      ? {
          root: "/var/lib/kubelet",
          podLogs: "/var/log/pods",
          containerLogs: "/var/log/containers",
          staticPods: join(dataDir, "manifests"),
        }
      : {
          root: join(dataDir, "kubelet"),
          podLogs: join(logDir, "pods"),
          containerLogs: join(logDir, "containers"),
          staticPods: join(dataDir, "manifests"),
        },
    cgroupRoot: standard ? "/" : `/kybern-${createHash("sha256").update(dataDir).digest("hex").slice(0, 8)}`,
  };
}

/** The one of the system for root, one of their own for others. */
export function defaultDataDir(
  user: { root: boolean; env: Readonly<Record<string, string | undefined>> } = {
    root: process.getuid?.() === 0,
    env: process.env,
  },
): string {
  if (user.root) return STANDARD;
  const data = user.env.XDG_DATA_HOME;
  return data?.startsWith("/") ? join(data, "kybern") : join(homedir(), ".local/share/kybern");
}

/** The longest path of a Unix socket, without the zero at its end. */
const LONGEST_SOCKET = 107;

/** What is wrong with the data directory's place, as an end of a sentence. */
export function layoutFault(layout: Layout): string | undefined {
  const longest = join(layout.containerd.run, "containerd.sock.ttrpc");
  const excess = Buffer.byteLength(longest) - LONGEST_SOCKET;
  return excess > 0 ? `must be ${excess} characters shorter: sockets are made below it` : undefined;
}
