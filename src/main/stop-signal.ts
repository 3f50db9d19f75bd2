import { logLine } from "./log.ts";

/**
 * Resolves at the first SIGTERM or SIGINT. From now on none of them ends the process by itself: what they interrupt, the
 * start or the stop, goes on to its end.
 */
export function stopSignal(): Promise<void> {
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
