import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { unusedPort } from "../../host/testing/unused-port.ts";

/** Why tests against a real etcd cannot run here, or undefined. */
export const noEtcd: string | undefined =
  spawnSync("etcd", ["--version"]).status === 0
    ? undefined
    : "no etcd binary is found (Debian: apt-get install etcd-server)";

export interface RealEtcd {
  endpoint: string;
  /** Ends it at once and starts it again on the same port and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts an etcd of one member for a test. */
export async function startEtcd(
  folder: string,
  extra: readonly string[] = [],
  scheme = "http",
): Promise<RealEtcd> {
  const endpoint = `${scheme}://127.0.0.1:${await unusedPort()}`;
  const peer = `http://127.0.0.1:${await unusedPort()}`;
  const args = [
    ["--data-dir", join(folder, "etcd")],
    ["--listen-client-urls", endpoint],
    ["--advertise-client-urls", endpoint],
    ["--listen-peer-urls", peer],
    ["--initial-advertise-peer-urls", peer],
    ["--initial-cluster", `default=${peer}`],
    ["--logger", "zap"],
    extra,
  ].flat();
  let child = await launch(args);
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  };
  return {
    endpoint,
    stop,
    restart: async () => {
      await stop();
      child = await launch(args);
    },
  };
}

async function launch(args: readonly string[]): Promise<ChildProcess> {
  const child = spawn("etcd", args, { stdio: ["ignore", "ignore", "pipe"] });
  const said: string[] = [];
  const ready = Promise.withResolvers<void>();
  const lines = createInterface({ input: child.stderr! });
  lines.on("line", (line) => {
    said.push(line);
    // The log goes on and must be read, so that etcd does not block on it.
    if (said.length > 50) said.shift();
    if (/client requests (securely|insecurely)|serving (insecure )?client (requests|traffic)/.test(line))
      ready.resolve();
  });
  child.on("exit", (code) => ready.reject(new Error(`etcd ended with ${code}:\n${said.join("\n")}`)));
  ready.promise.catch(() => {});
  await ready.promise;
  return child;
}
