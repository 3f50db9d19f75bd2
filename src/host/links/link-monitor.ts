/** Tells of what is taken away from the host's links: the kernel says it to the program `ip monitor`. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Clock } from "../../base/clock.ts";
import { systemPath } from "../command.ts";

export interface LinkMonitorOptions {
  clock: Clock;
  /** The name of the link whose end, and the end of whose addresses and routes, is told. */
  link: string;
  gone: () => void;
}

/** Milliseconds until it is started again where it ends. */
const AGAIN = 5000;

/**
 * A shell stands between and ends the program when our end of its input closes: so it does not outlive us, however we
 * end, and holds nothing open that others wait for.
 */
const MONITOR = 'ip -o monitor link address route </dev/null & exec >&-; read -r _; kill "$!"';

/** Returns how to cease. */
export function monitorLink({ clock, link, gone }: LinkMonitorOptions): () => void {
  let stopped = false;
  let end = (): void => {};
  let cancel = (): void => {};
  const start = (): void => {
    const child = spawn("sh", ["-c", MONITOR], {
      stdio: ["pipe", "pipe", "ignore"],
      env: { ...process.env, PATH: systemPath(process.env), LC_ALL: "C" },
    });
    child.on("error", () => {});
    child.stdin.on("error", () => {});
    end = () => child.stdin.end();
    const lines = createInterface(child.stdout);
    lines.on("line", (line) => {
      if (isLoss(line, link)) gone();
    });
    lines.once("close", () => {
      child.stdin.end();
      if (stopped) return;
      // What happens meanwhile is not told.
      cancel = clock.setTimer(AGAIN, () => {
        start();
        gone();
      });
    });
  };
  start();
  return () => {
    stopped = true;
    cancel();
    end();
  };
}

/** Whether a line tells that the link, or something of it, is no longer there. */
export function isLoss(line: string, link: string): boolean {
  if (!line.split(/[\s:@]+/).includes(link)) return false;
  return line.startsWith("Deleted ") || / state DOWN /.test(line);
}
