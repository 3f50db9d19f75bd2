/** The resolvers of the host: what /etc/resolv.conf names, followed as it changes. */
import { type FSWatcher, watch } from "node:fs";
import { readFile, realpath } from "node:fs/promises";
import { isIP } from "node:net";
import { basename, dirname } from "node:path";
import type { Clock } from "../../../base/clock.ts";

/** As many as CoreDNS takes. */
const MOST = 15;
/** Milliseconds in which a file that is being written settles. */
const SETTLE = 100;

/** Addresses of `nameserver` lines, each once. */
export function parseResolvConf(text: string): string[] {
  const found = new Set<string>();
  for (const line of text.split("\n")) {
    const [keyword, address = ""] = line.trim().split(/[ \t]+/);
    if (keyword === "nameserver" && isIP(address) !== 0) found.add(address);
  }
  return [...found].slice(0, MOST);
}

/**
 * Calls `changed` with what the file names, at once and whenever that changes. A file that is missing names nobody.
 * Returns how to cease.
 */
export function followResolvConf(
  path: string,
  clock: Clock,
  changed: (servers: readonly string[]) => void,
): () => void {
  let last: string | undefined;
  let watchers: FSWatcher[] = [];
  let cancel: (() => void) | undefined;
  let stopped = false;
  const unwatch = (): void => {
    for (const watcher of watchers) watcher.close();
    watchers = [];
  };
  const look = async (): Promise<void> => {
    const text = await readFile(path, "utf8").catch(() => "");
    const target = await realpath(path).catch(() => path);
    if (stopped) return;
    unwatch();
    // Directories, as the file is replaced and not written to; both where it is a link to one that the system makes.
    for (const place of new Set([path, target])) {
      try {
        const watcher = watch(dirname(place), { persistent: false }, (_, name) => {
          if (name === null || name === basename(place)) soon();
        });
        watcher.on("error", () => {});
        watchers.push(watcher);
      } catch {
        // Without its directory there is nothing to follow.
      }
    }
    const servers = parseResolvConf(text);
    if (JSON.stringify(servers) === last) return;
    last = JSON.stringify(servers);
    changed(servers);
  };
  const soon = (): void => {
    cancel ??= clock.setTimer(SETTLE, () => {
      cancel = undefined;
      void look();
    });
  };
  void look();
  return () => {
    stopped = true;
    cancel?.();
    unwatch();
  };
}
