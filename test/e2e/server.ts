/** `kybern server` as a child process, and unmodified kubectl and Helm to talk to it. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { type Tools, unpackTools } from "./tools.ts";

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Standard input; an object is sent as JSON. */
  input?: string | object;
  env?: Readonly<Record<string, string>>;
}

/** What there is, a bookmark, and what becomes of it. */
const WATCH_LIST =
  "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export interface ServerOptions {
  /** With this many simulated nodes, all controllers and the scheduler; by default the API server is alone. */
  nodes?: number;
}

/** Starts a server for a test file, which awaits this at its top, and ends it after the last test. */
export async function startServer({ nodes }: ServerOptions = {}): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), "kybern-e2e-"));
  const [tools, home] = [await unpackTools(), join(directory, "home")];
  await mkdir(home);
  const child = spawn(
    process.execPath,
    [
      ...["--disable-proto=delete", "src/main/kybern.ts", "server", "--data-dir", join(directory, "data")],
      ...["--secure-port", "0"],
      ...(nodes === undefined ? ["--components", "apiserver"] : ["--simulate-nodes", String(nodes)]),
    ],
    { cwd: ROOT, stdio: ["ignore", "ignore", "pipe"] },
  );
  const server = new TestServer(child, directory, tools);
  after(() => server.stop());
  await server.ready;
  return server;
}

export class TestServer {
  /** A directory of the test's own, gone with the server. */
  readonly directory: string;
  readonly kubeconfig: string;
  /** Settles once the server says that it is ready. */
  readonly ready: Promise<void>;
  private readonly log: string[] = [];
  private readonly child: ChildProcess;
  private readonly tools: Tools;

  constructor(child: ChildProcess, directory: string, tools: Tools) {
    this.child = child;
    this.directory = directory;
    this.tools = tools;
    this.kubeconfig = join(directory, "data/admin.conf");
    this.ready = this.follow();
  }

  private follow(): Promise<void> {
    return new Promise((resolve, reject) => {
      createInterface({ input: this.child.stderr! }).on("line", (line) => {
        this.log.push(line);
        if (/^\S+ info ready /.test(line)) resolve();
      });
      this.child.once("error", reject);
      this.child.once("exit", (code, signal) => reject(this.ended(code ?? signal)));
    });
  }

  private ended(code: number | string | null): Error {
    return new Error(`the server ended by itself (${code}):\n${this.log.slice(-40).join("\n")}`);
  }

  /** Runs kubectl with a command line as one types it; only quotes are understood. */
  kubectl(line: string, options: RunOptions = {}): Promise<Result> {
    return this.run(this.tools.kubectl, line, options);
  }

  helm(line: string, options: RunOptions = {}): Promise<Result> {
    return this.run(this.tools.helm, line, options);
  }

  /** What kubectl prints; fails where kubectl does. */
  async ok(line: string, options: RunOptions = {}): Promise<string> {
    return succeeded(`kubectl ${line}`, await this.kubectl(line, options));
  }

  /** What kubectl says on stderr; fails where kubectl does not. */
  async refused(line: string, options: RunOptions = {}): Promise<string> {
    const { code, stdout, stderr } = await this.kubectl(line, options);
    if (code !== 0) return stderr;
    throw new Error(`kubectl ${line}: did not fail, but printed\n${stdout}${stderr}`);
  }

  /** The object that kubectl prints. */
  async json<T = KubeObject>(line: string, options: RunOptions = {}): Promise<T> {
    return JSON.parse(await this.ok(`${line} -o json`, options)) as T;
  }

  async helmOk(line: string, options: RunOptions = {}): Promise<string> {
    return succeeded(`helm ${line}`, await this.helm(line, options));
  }

  /** kubectl as a process that goes on: `get --watch`, `proxy`. */
  spawnKubectl(line: string): ChildProcess {
    return spawn(this.tools.kubectl, splitCommand(line), {
      env: this.environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  /** Follows all objects at a path of the API until this holds of them. */
  async until(path: string, is: (objects: KubeObject[]) => boolean): Promise<KubeObject[]> {
    const watch = this.spawnKubectl(`get --raw ${path}${path.includes("?") ? "&" : "?"}${WATCH_LIST}`);
    const said = collect(watch.stderr!);
    const now = new Map<string, KubeObject>();
    let initial = true;
    try {
      for await (const line of createInterface({ input: watch.stdout! })) {
        const { type, object } = JSON.parse(line) as { type: string; object: KubeObject };
        if (type === "BOOKMARK") initial = false;
        else if (type === "DELETED") now.delete(object.metadata.uid);
        else now.set(object.metadata.uid, object);
        const objects = [...now.values()];
        if (!initial && is(objects)) return objects;
      }
    } finally {
      watch.kill();
    }
    throw new Error(`the watch of ${path} ended: ${said()}`);
  }

  /** Writes a file into the test's directory and returns its path. */
  async file(name: string, content: string | object, mode = 0o644): Promise<string> {
    const path = join(this.directory, name);
    await writeFile(path, typeof content === "string" ? content : JSON.stringify(content), { mode });
    return path;
  }

  /** A new namespace with the service account that pods need; no controller makes it here. */
  async namespace(name: string): Promise<void> {
    await this.ok(`create namespace ${name}`);
    await this.ok(`create serviceaccount default --namespace ${name}`);
  }

  /** A kubeconfig for this server that shows a bearer token. */
  async tokenConfig(token: string): Promise<string> {
    const config = JSON.parse(await readFile(this.kubeconfig, "utf8"));
    config.users[0].user = { token };
    return this.file(`token-${createHash("sha256").update(token).digest("hex")}.conf`, config);
  }

  private environment(): NodeJS.ProcessEnv {
    const home = join(this.directory, "home");
    return { PATH: process.env.PATH, HOME: home, KUBECONFIG: this.kubeconfig };
  }

  private async run(program: string, line: string, { input, env }: RunOptions): Promise<Result> {
    const child = spawn(program, splitCommand(line), {
      cwd: this.directory,
      env: { ...this.environment(), ...env },
    });
    const [out, err] = [collect(child.stdout), collect(child.stderr)];
    // A program that does not read its input closes the pipe: that is its own affair.
    child.stdin.on("error", () => {});
    child.stdin.end(typeof input === "object" ? JSON.stringify(input) : (input ?? ""));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, stdout: out(), stderr: err() };
  }

  /** Fails where the server ended earlier, or logged a bug. */
  async stop(): Promise<void> {
    const { exitCode, signalCode } = this.child;
    if (exitCode === null && signalCode === null) {
      this.child.kill("SIGTERM");
      // Not before all that it said is here.
      await once(this.child, "close");
    }
    await rm(this.directory, { recursive: true, force: true });
    if (exitCode !== null || signalCode !== null) throw this.ended(exitCode ?? signalCode);
    const errors = this.log.filter((line) => /^\S+ error /.test(line));
    if (errors.length > 0) throw new Error(`the server logged errors:\n${errors.join("\n")}`);
  }
}

/** As kubectl prints objects: loosely typed, for tests to look into. */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: Metadata;
  spec: Record<string, unknown>;
  status: Record<string, unknown>;
  data: Record<string, string>;
  [field: string]: unknown;
}

interface Metadata {
  name: string;
  namespace: string;
  uid: string;
  deletionGracePeriodSeconds: number;
  resourceVersion: string;
  generation: number;
  ownerReferences: { uid: string; controller?: boolean }[];
  labels: Record<string, string>;
  annotations: Record<string, string>;
  finalizers: string[];
  deletionTimestamp: string;
  managedFields: { manager: string; operation: string; subresource?: string; fieldsV1: object }[];
}

function succeeded(line: string, { code, stdout, stderr }: Result): string {
  if (code === 0) return stdout;
  throw new Error(`${line}: ended with ${code}\n${stderr}${stdout}`);
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString();
}

/** Words of a command line; '…' and "…" hold spaces. */
export function splitCommand(line: string): string[] {
  const words = line.match(/(?:[^\s'"]+|'[^']*'|"[^"]*")+/g) ?? [];
  return words.map((word) => word.replace(/'([^']*)'|"([^"]*)"/g, (_, single, double) => single ?? double));
}
