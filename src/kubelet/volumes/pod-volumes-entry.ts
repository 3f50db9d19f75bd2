/** What is mounted of one pod, and the line in which it is worked on. */
import type { Pod, Volume } from "../../api/schema/core.v1.generated.ts";
import type { PodPaths } from "./pod-paths.ts";
import type { MountedVolume } from "./volume-plugin.ts";

export class PodVolumesEntry {
  /** As it was last given. */
  pod: Pod;
  readonly paths: PodPaths;
  /** By the name in the pod. */
  readonly mounted = new Map<string, MountedVolume>();
  /** Of volumes whose contents follow others, as they were last set up. */
  readonly kept = new Map<string, Volume>();
  /** The images of image volumes as the runtime names them, as they were last pulled. */
  readonly pulled = new Map<string, string>();
  gone = false;
  /** Whether bringing the contents up to date is already in the line. */
  willRefresh = false;
  private line: Promise<unknown> = Promise.resolve();
  private cancelTimer: (() => void) | undefined;

  constructor(pod: Pod, paths: PodPaths) {
    this.pod = pod;
    this.paths = paths;
  }

  /** One after the other. */
  inLine<T>(work: () => Promise<T>): Promise<T> {
    const done = this.line.then(work, work);
    this.line = done.catch(() => {});
    return done;
  }

  /** In the place of the timer that was set before. */
  setTimer(set: (() => () => void) | undefined): void {
    this.cancelTimer?.();
    this.cancelTimer = set?.();
  }
}
