/**
 * A containerd of one's own: with directories, socket and configuration that no other uses. It is detached: it and all
 * containers outlive whoever started it, who adopts it again by its socket. While somebody supervises it, it is started
 * anew when it ends; containers go on without it meanwhile, each held by its shim.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { chmod, mkdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../../base/clock.ts";
import { runCommand, systemPath } from "../command.ts";
import { endProcess, processOf } from "../processes.ts";
import { type ContainerdSettings, containerdConfiguration, containerdVersion } from "./configuration.ts";
import { type ContainerdClient, openContainerd } from "./containerd-client.ts";
import { PAUSE_IMAGE, pauseImage } from "./pause.ts";

export interface ContainerdPlaces {
  /** Images and snapshots. */
  root: string;
  /** Socket, state, configuration and process id: `/run/kybern/containerd`. */
  run: string;
  log: string;
}

export interface ContainerdRequest {
  places: ContainerdPlaces;
  cni: ContainerdSettings["cni"];
  registryDir: string;
  restrictOOMScore: boolean;
  clock: Clock;
  log(level: "info" | "warn", text: string, facts?: Record<string, unknown>): void;
  /** Told why it does not serve from now on; undefined: it serves again. */
  told?: ((problem: string | undefined) => void) | undefined;
}

export interface SupervisedContainerd {
  socket: string;
  /** Whether it was running already. */
  adopted: boolean;
  /** Supervises it no more; it goes on running. */
  close(): Promise<void>;
}

/** Milliseconds that it may take until it answers: it reads all that it keeps at its start. */
const START_WITHIN = 60_000;
const BACKOFF = { first: 100, most: 10_000 };
/** One that ran this long did not fail at its start. */
const LONG = 10_000;

export function containerdSocket({ run }: ContainerdPlaces): string {
  return join(run, "containerd.sock");
}

/** Resolves when it serves the CRI and has the image of sandboxes. Throws where it does not start, naming its log. */
export async function superviseContainerd(request: ContainerdRequest): Promise<SupervisedContainerd> {
  const socket = containerdSocket(request.places);
  const configured = await configure(request);
  const before = await runningContainerd(request.places);
  const changed = configured || (before !== undefined && (await wasReplaced(before)));
  if (before !== undefined && changed) await endProcess(before, START_WITHIN);
  const adopted = before !== undefined && !changed;
  let client = await serve(request, socket);
  const closing = new AbortController();
  const closed = new Promise<void>((resolve) => closing.signal.addEventListener("abort", () => resolve()));
  const supervise = async (): Promise<void> => {
    let backoff = 0;
    while (!closing.signal.aborted) {
      const since = request.clock.elapsed();
      await Promise.race([client.ended(), closed]);
      client.close();
      if (closing.signal.aborted) return;
      // It closes connections that it finds too busy or too quiet, too.
      if ((await runningContainerd(request.places)) !== undefined) {
        client = await again(request, socket, closing.signal, client);
        continue;
      }
      backoff =
        request.clock.elapsed() - since > LONG ? 0 : Math.min(backoff * 2 || BACKOFF.first, BACKOFF.most);
      request.log("warn", "containerd ended and is started again; containers go on running", {
        log: request.places.log,
      });
      request.told?.("it ended, and is started again");
      await delay(backoff, undefined, { signal: closing.signal }).catch(() => {});
      client = await again(request, socket, closing.signal, client);
    }
  };
  const done = supervise();
  return {
    socket,
    adopted,
    async close() {
      closing.abort();
      client.close();
      await done;
    },
  };
}

/** Ends it; containers go on running. Any number of times. */
export async function stopContainerd(places: ContainerdPlaces): Promise<void> {
  const pid = await runningContainerd(places);
  if (pid !== undefined) await endProcess(pid, 20_000);
}

export async function runningContainerd(places: ContainerdPlaces): Promise<number | undefined> {
  const configuration = join(places.run, "config.toml");
  return processOf(join(places.run, "pid"), (command) => command.includes(configuration));
}

/** Whether its program is no more where it was: another version was installed. */
async function wasReplaced(pid: number): Promise<boolean> {
  return (await readlink(`/proc/${pid}/exe`).catch(() => "")).endsWith(" (deleted)");
}

/** Tries until it serves, or nobody supervises it any more. */
async function again(
  request: ContainerdRequest,
  socket: string,
  signal: AbortSignal,
  last: ContainerdClient,
): Promise<ContainerdClient> {
  for (let backoff = BACKOFF.first; ; backoff = Math.min(backoff * 2, BACKOFF.most)) {
    if (signal.aborted) return last;
    try {
      const client = await serve(request, socket);
      if (!signal.aborted) request.told?.(undefined);
      return client;
    } catch (error) {
      request.log("warn", "containerd could not be started; it is tried again", { error: String(error) });
      if (!signal.aborted) request.told?.(error instanceof Error ? error.message : String(error));
      await delay(backoff, undefined, { signal }).catch(() => {});
    }
  }
}

/** Whether what is written now differs from what was there. */
async function configure({
  places,
  cni,
  registryDir,
  restrictOOMScore,
}: ContainerdRequest): Promise<boolean> {
  const path = join(places.run, "config.toml");
  const settings: ContainerdSettings = {
    version: containerdVersion(await runCommand("containerd", ["--version"])),
    root: places.root,
    state: join(places.run, "state"),
    socket: containerdSocket(places),
    cni,
    sandboxImage: PAUSE_IMAGE,
    registryDir,
    restrictOOMScore,
  };
  const text = containerdConfiguration(settings);
  await Promise.all([
    mkdir(places.root, { recursive: true, mode: 0o700 }),
    // Users of pods, who may be none of the machine's, pass through it to their file systems.
    mkdir(places.run, { recursive: true, mode: 0o711 }).then(() => chmod(places.run, 0o711)),
    mkdir(dirname(places.log), { recursive: true, mode: 0o700 }),
    mkdir(registryDir, { recursive: true }),
  ]);
  if ((await readFile(path, "utf8").catch(() => "")) === text) return false;
  await writeFile(path, text, { mode: 0o600 });
  return true;
}

/** Adopts the one that runs or starts one. */
async function serve(request: ContainerdRequest, socket: string): Promise<ContainerdClient> {
  const { places } = request;
  const running = await runningContainerd(places);
  if (running === undefined) await launch(places, socket);
  const client = openContainerd(socket);
  try {
    await answering(client, places);
    if (!(await client.hasImage(PAUSE_IMAGE))) await client.addImage(pauseImage(), { pinned: true });
    return client;
  } catch (error) {
    client.close();
    // One that does not answer is of no use to anybody.
    if (running !== undefined) await endProcess(running, 1000);
    throw error;
  }
}

async function launch(places: ContainerdPlaces, socket: string): Promise<void> {
  // A socket that a killed one left behind refuses connections.
  await rm(socket, { force: true });
  await rm(`${socket}.ttrpc`, { force: true });
  const log = openSync(places.log, "a", 0o600);
  try {
    const child = spawn("containerd", ["--config", join(places.run, "config.toml")], {
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...process.env, PATH: systemPath(process.env) },
      cwd: "/",
    });
    const started = Promise.withResolvers<void>();
    child.once("spawn", started.resolve);
    child.once("error", started.reject);
    await started.promise;
    await writeFile(join(places.run, "pid"), `${child.pid}\n`);
    child.unref();
  } finally {
    closeSync(log);
  }
}

/** It says nothing when it begins to listen: it is asked, at first often. */
async function answering(client: ContainerdClient, places: ContainerdPlaces): Promise<void> {
  const until = performance.now() + START_WITHIN;
  for (let wait = 5; ; wait = Math.min(wait * 1.5, 200)) {
    try {
      await client.servesCRI();
      return;
    } catch (cause) {
      if ((await runningContainerd(places)) === undefined)
        throw new Error(`containerd ended at its start; ${places.log} says why`, { cause });
      if (performance.now() > until)
        throw new Error(`containerd does not answer; ${places.log} may say why`, { cause });
    }
    await delay(wait);
  }
}
