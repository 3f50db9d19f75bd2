/**
 * How the groups of pods are named. By the driver cgroupfs they are paths as they come; by the driver systemd each is a
 * slice, whose name repeats the names of those above it: kubepods.slice/kubepods-burstable.slice/….
 */
import type { QOSClass } from "../../api/core/pod/qos.ts";

export type CgroupDriver = "cgroupfs" | "systemd";

const SLICE = ".slice";
const POD = "pod";

export class GroupNames {
  readonly driver: CgroupDriver;
  private readonly root: readonly string[];

  /** `root`: upstream's --cgroup-root, `/` by default. */
  constructor(driver: CgroupDriver, root = "/") {
    this.driver = driver;
    this.root = root.split("/").filter(Boolean);
  }

  /** The group of all pods. */
  get kubepods(): string {
    return this.path(["kubepods"]);
  }

  /** Guaranteed pods are right below that of all pods. */
  ofClass(qos: QOSClass): string {
    return this.path(partsOf(qos));
  }

  ofPod(qos: QOSClass, uid: string): string {
    return this.path([...partsOf(qos), `${POD}${uid}`]);
  }

  /** What the container runtime is told: of slices, the last name alone. */
  parentOf(path: string): string {
    return this.driver === "systemd" ? path.slice(path.lastIndexOf("/") + 1) : path;
  }

  /** The pod's uid, from the last name of its group; undefined where it is no pod's. */
  podOf(name: string): string | undefined {
    if (this.driver === "cgroupfs") return name.startsWith(POD) ? name.slice(POD.length) : undefined;
    if (!name.endsWith(SLICE)) return undefined;
    const last = name.slice(name.lastIndexOf("-") + 1, -SLICE.length);
    return last.startsWith(POD) ? last.slice(POD.length).replaceAll("_", "-") : undefined;
  }

  private path(parts: readonly string[]): string {
    const all = [...this.root, ...parts];
    if (this.driver === "cgroupfs") return `/${all.join("/")}`;
    // A hyphen says where a slice is, so one in a name is written otherwise.
    const escaped = all.map((part) => part.replaceAll("-", "_"));
    return escaped.map((_, i) => `/${escaped.slice(0, i + 1).join("-")}${SLICE}`).join("");
  }
}

function partsOf(qos: QOSClass): string[] {
  return qos === "Guaranteed" ? ["kubepods"] : ["kubepods", qos.toLowerCase()];
}
