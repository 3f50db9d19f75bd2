import { logLine } from "./log.ts";

/**
 * Resolves at the first SIGTERM or SIGINT. From now on none of them ends the process by itself: what they interrupt, the
 * start or the stop, goes on to its end. The process lives until it ends itself.
 */
export function stopSignal(): Promise<void> {
  // Signals hold no process, and neither do timers of those that wait for a server to answer.
  setInterval(() => {}, 0x7fffffff);
  return new Promise((resolve) => {
    let told = false;
    const stop = (): void => {
      if (!told) logLine("info", "stopping");
      told = true;
      resolve();
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
}
