/** `kybern server` as a process of its own, so that what it is sent can be measured in its memory and its life. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import * as http2 from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";
import * as tls from "node:tls";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Milliseconds; Linux counts in hundredths of a second for everybody. */
const TICK = 10;

export interface Answer {
  status: number;
  headers: http2.IncomingHttpHeaders;
  text: string;
}

export interface Sent {
  headers?: http2.OutgoingHttpHeaders;
  body?: Uint8Array | string | undefined;
}

export interface Options {
  /** Of Node; as bin/kybern.js gives them where not told otherwise. */
  node?: string[];
  flags?: string[];
}

/** Starts a server for a test file, which awaits this at its top, and ends it after the last test. */
export async function startHostile(options: Options = {}): Promise<HostileServer> {
  const directory = await mkdtemp(join(tmpdir(), "kybern-hostile-"));
  const { node = ["--disable-proto=delete"], flags = ["--store", "memory"] } = options;
  const server = ["server", "--data-dir", join(directory, "data"), "--secure-port", "0"];
  const bound = ["--bind-address", "127.0.0.1", "--components", "apiserver"];
  const child = spawn(process.execPath, [...node, "src/main/kybern.ts", ...server, ...bound, ...flags], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const started = new HostileServer(child, directory);
  after(() => started.stop());
  await started.ready;
  return started;
}

interface Identity {
  ca: string;
  cert: string;
  key: string;
}

export class HostileServer {
  readonly dataDir: string;
  /** Everything that the process has written, on both outputs. */
  readonly log: string[] = [];
  readonly ready: Promise<void>;
  port = 0;
  private stopping = false;
  admin: Identity = { ca: "", cert: "", key: "" };
  private readonly child: ChildProcess;
  private readonly directory: string;
  private readonly sessions = new Set<http2.ClientHttp2Session>();
  private own: http2.ClientHttp2Session | undefined;

  constructor(child: ChildProcess, directory: string) {
    this.child = child;
    this.directory = directory;
    this.dataDir = join(directory, "data");
    this.ready = this.follow();
  }

  private follow(): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = (text: string): void => {
        this.log.push(text);
        const port = / info ready address=\S+:([0-9]+)/.exec(text)?.[1];
        if (port !== undefined) this.begin(Number(port)).then(resolve, reject);
      };
      for (const output of [this.child.stdout!, this.child.stderr!]) {
        createInterface({ input: output }).on("line", line);
      }
      this.child.once("exit", (code, signal) => {
        if (this.port !== 0 && !this.stopping)
          console.error(`the server ended (${code ?? signal})`, this.log.slice(-20));
        reject(new Error(`the server ended (${code ?? signal}):\n${this.log.join("\n")}`));
      });
    });
  }

  private async begin(port: number): Promise<void> {
    const config = JSON.parse(await readFile(join(this.dataDir, "admin.conf"), "utf8"));
    const decoded = (data: string): string => Buffer.from(data, "base64").toString();
    const { user } = config.users[0];
    this.port = port;
    this.admin = {
      ca: decoded(config.clusters[0].cluster["certificate-authority-data"]),
      cert: decoded(user["client-certificate-data"]),
      key: decoded(user["client-key-data"]),
    };
  }

  /** An HTTP/2 connection: the administrator's, or that of somebody without a certificate. */
  connect(identity: "admin" | "nobody" | { cert: string; key: string } = "admin"): http2.ClientHttp2Session {
    const { ca, cert, key } = this.admin;
    const shown = identity === "admin" ? { cert, key } : identity === "nobody" ? {} : identity;
    const session = http2.connect(`https://127.0.0.1:${this.port}`, { ca, ...shown });
    // A connection that the server cuts is what many tests are about.
    session.on("error", () => {});
    this.sessions.add(session);
    session.once("close", () => this.sessions.delete(session));
    return session;
  }

  /** A TLS socket of the administrator's, for what no HTTP client would send. */
  async socket(protocol: "h2" | "http/1.1"): Promise<tls.TLSSocket> {
    const socket = tls.connect({
      host: "127.0.0.1",
      port: this.port,
      ALPNProtocols: [protocol],
      ...this.admin,
    });
    socket.on("error", () => {});
    await once(socket, "secureConnect");
    return socket;
  }

  /** As the administrator, over a connection of its own that lasts. */
  send(method: string, path: string, sent: Sent = {}): Promise<Answer> {
    if (!this.own || this.own.closed || this.own.destroyed) this.own = this.connect();
    return request(this.own, method, path, sent);
  }

  json(method: string, path: string, object: unknown): Promise<Answer> {
    const body = typeof object === "string" ? object : JSON.stringify(object);
    return this.send(method, path, { body, headers: { "content-type": "application/json" } });
  }

  /** Milliseconds until the server has answered one small request on a new connection. */
  async latency(): Promise<number> {
    const session = this.connect();
    const from = performance.now();
    const { status, text } = await request(session, "GET", "/readyz");
    const took = performance.now() - from;
    session.destroy();
    if (status !== 200) throw new Error(`/readyz answers ${status}: ${text}`);
    return took;
  }

  /**
   * Milliseconds of processor time that the server spends while `act` runs: what else the machine does is not counted.
   * Undefined where the system does not tell.
   */
  async effort(act: () => Promise<unknown>): Promise<number | undefined> {
    const before = this.processorTime();
    await act();
    const after = this.processorTime();
    return before === undefined || after === undefined ? undefined : after - before;
  }

  private processorTime(): number | undefined {
    const stat = `/proc/${this.child.pid}/stat`;
    if (!existsSync(stat)) return undefined;
    // Of the fields behind the command's name, which may hold anything: in user mode and in the kernel.
    const fields = readFileSync(stat, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK;
  }

  /** Resident memory in MiB; undefined where the system does not tell. */
  memory(): number | undefined {
    const status = `/proc/${this.child.pid}/status`;
    if (!existsSync(status)) return undefined;
    return Number(/VmRSS:\s+([0-9]+)/.exec(readFileSync(status, "utf8"))?.[1]) / 1024;
  }

  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** What the server has logged of its own bugs. */
  get bugs(): string[] {
    return this.log.filter((line) => /^\S+ error /.test(line));
  }

  async stop(): Promise<void> {
    this.stopping = true;
    for (const session of this.sessions) session.destroy();
    if (!this.ended) {
      this.child.kill("SIGTERM");
      await once(this.child, "exit");
    }
    await rm(this.directory, { recursive: true, force: true });
    if (this.bugs.length > 0) throw new Error(`the server logged bugs:\n${this.bugs.join("\n")}`);
    if (this.child.exitCode !== 0) throw new Error(`the server ended with ${this.child.exitCode}`);
  }
}

export function request(
  session: http2.ClientHttp2Session,
  method: string,
  path: string,
  { headers = {}, body }: Sent = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const bare = body === undefined;
    const stream = session.request({ ":method": method, ":path": path, ...headers }, { endStream: bare });
    const chunks: Buffer[] = [];
    let received: http2.IncomingHttpHeaders = {};
    stream.on("response", (given) => {
      received = given;
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", (error) => {
      // An answer before the whole body was taken is an answer.
      if (received[":status"] === undefined) reject(error);
    });
    stream.on("close", () => {
      const status = Number(received[":status"]);
      if (Number.isNaN(status)) reject(new Error(`no answer to ${method} ${path.slice(0, 200)}`));
      else resolve({ status, headers: received, text: Buffer.concat(chunks).toString() });
    });
    if (!bare) stream.end(body);
  });
}

/** The message of an answer that is a Status. */
export function messageOf({ text }: Answer): string {
  return String(JSON.parse(text).message);
}
