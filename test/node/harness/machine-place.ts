/** A machine of its own as far as networks go, on which a test types commands as a user does. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ClusterStatus } from "../../../src/cluster/cluster-status.ts";
import { layoutOf } from "../../../src/cluster/layout.ts";
import { openMounts } from "../../../src/host/mounts/mounts.ts";
import { unpackTools } from "../../e2e/tools.ts";

/** The source, as bin/kybern.js runs it: a build in the checkout may be of yesterday. */
const PROGRAM = [
  "--disable-proto=delete",
  fileURLToPath(new URL("../../../src/main/kybern.ts", import.meta.url)),
];
const LONGEST = 180_000;

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** Disposed of, nothing is left of what was made on it. */
export interface Place extends AsyncDisposable {
  directory: string;
  kybern(...words: string[]): Promise<Ran>;
  kubectl(...words: string[]): Promise<Ran>;
  status(): Promise<ClusterStatus>;
  /** What there is that a cluster could leave behind. */
  traces(): Promise<Record<string, string[]>>;
}

/** With a directory of its own, in the network namespace, which must be there as long as it is. */
export async function machinePlace(namespace: string, program: readonly string[] = PROGRAM): Promise<Place> {
  const directory = join(await mkdtemp(join(tmpdir(), "kyup-")), "data");
  const { kubectl } = await unpackTools();
  const inside = (command: string, words: readonly string[]): Promise<Ran> =>
    run("nsenter", [`--net=/run/netns/${namespace}`, command, ...words]);
  const kybern = (...words: string[]): Promise<Ran> =>
    inside(process.execPath, [...program, ...words, "--data-dir", directory]);
  // Addresses that the kernel gives links by itself come when it likes.
  const lines = (text: string): string[] =>
    text
      .split("\n")
      .filter((line) => line !== "" && !line.includes("fe80::"))
      .sort();
  return {
    directory,
    kybern,
    kubectl: (...words) => inside(kubectl, ["--kubeconfig", join(directory, "admin.conf"), ...words]),
    status: async () => JSON.parse((await ok(kybern("status", "-o", "json"))).out) as ClusterStatus,
    async [Symbol.asyncDispose]() {
      await ok(kybern("reset", "--yes"));
      await rm(dirname(directory), { recursive: true, force: true });
    },
    async traces() {
      const [links, routes, rules, mounts, groups] = await Promise.all([
        ok(inside("ip", ["-brief", "link"])),
        ok(inside("ip", ["route", "show", "table", "all"])),
        ok(inside("nft", ["list", "ruleset"])),
        openMounts().table(),
        cgroups(layoutOf(directory).cgroupRoot),
      ]);
      return {
        links: lines(links.out),
        routes: lines(routes.out),
        rules: lines(rules.out),
        mounts: mounts.map(({ target }) => target).filter((target) => target.startsWith(directory)),
        cgroups: groups,
        processes: await processesWith(directory),
        pluginResults: await pluginResultsWith(directory),
        addresses: lines((await ok(inside("ip", ["-4", "-brief", "address"]))).out),
        files: await readdir(dirname(directory)),
      };
    },
  };
}

function run(command: string, words: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"], timeout: LONGEST });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => {
      const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString();
      resolve({ code, out: text(out), err: text(err) });
    });
  });
}

export async function ok(ran: Promise<Ran>): Promise<Ran> {
  const done = await ran;
  assert.equal(done.code, 0, `${done.out}\n${done.err}`);
  return done;
}

async function cgroups(root: string): Promise<string[]> {
  const hierarchies = await readdir("/sys/fs/cgroup");
  const found = await Promise.all(
    ["", ...hierarchies].map(async (name) => {
      const path = join("/sys/fs/cgroup", name, root);
      return (await readdir(path).catch(() => undefined)) ? [path] : [];
    }),
  );
  return found.flat();
}

async function processesWith(text: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name));
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return commands.filter((command) => command.includes(text)).map((command) => command.replaceAll("\0", " "));
}

/** What CNI plugins of all containerds said of pods, as far as it is of this place's. */
async function pluginResultsWith(text: string): Promise<string[]> {
  const directory = "/var/lib/cni/results";
  const names = await readdir(directory).catch((): string[] => []);
  const texts = await Promise.all(
    names.map((name) => readFile(join(directory, name), "utf8").catch(() => "")),
  );
  return names.filter((_, i) => texts[i]!.includes(text));
}
