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

/** Returns how to cease. */
export function monitorLink({ clock, link, gone }: LinkMonitorOptions): () => void {
  let stopped = false;
  let kill = (): void => {};
  let cancel = (): void => {};
  const start = (): void => {
    const child = spawn("ip", ["-o", "monitor", "link", "address", "route"], {
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, PATH: systemPath(process.env), LC_ALL: "C" },
    });
    // It must hold nobody alive that has nothing else to do.
    child.unref();
    kill = () => child.kill("SIGKILL");
    createInterface(child.stdout).on("line", (line) => {
      if (isLoss(line, link)) gone();
    });
    const ended = (): void => {
      if (stopped) return;
      cancel();
      // What happened meanwhile was not told.
      cancel = clock.setTimer(AGAIN, () => {
        start();
        gone();
      });
    };
    child.once("error", ended);
    child.once("exit", ended);
  };
  start();
  return () => {
    stopped = true;
    cancel();
    kill();
  };
}

/** Whether a line tells that the link, or something of it, is no longer there. */
export function isLoss(line: string, link: string): boolean {
  if (!line.split(/[\s:@]+/).includes(link)) return false;
  return line.startsWith("Deleted ") || / state DOWN /.test(line);
}
