/** `kybern server` as a process that may be killed, and HTTPS requests to it. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { Agent, type RequestOptions, request } from "node:https";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../src/main/kybern.ts", import.meta.url));

export interface Answer {
  code: number;
  object: Shown;
}

export interface Shown {
  metadata: { name: string; resourceVersion: string };
  data?: Record<string, string>;
  items?: Shown[];
  kind: string;
  reason?: string;
  message?: string;
  code?: number;
}

export interface WatchEvent {
  type: string;
  object: Shown;
}

export interface Ended {
  code: number | null;
  signal: string | null;
}

/** What runs where a test says nothing else. */
const ALONE = ["--components", "apiserver"];

export function spawnServer(directory: string, more: readonly string[] = ALONE): ChildProcess {
  const flags = ["--data-dir", directory, "--secure-port", "0", "--bind-address", "127.0.0.1"];
  return spawn(process.execPath, ["--disable-proto=delete", PROGRAM, "server", ...flags, ...more], {
    stdio: ["ignore", "ignore", "pipe"],
  });
}

export async function startServer(directory: string, more?: readonly string[]): Promise<ServerProcess> {
  const child = spawnServer(directory, more);
  const ended = once(child, "close").then(([code, signal]) => ({ code, signal }) as Ended);
  const log: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr! }).on("line", (line) => {
      log.push(line);
      if (/ info ready /.test(line)) resolve();
    });
    void ended.then(({ code }) => reject(new Error(`the server ended (${code}):\n${log.join("\n")}`)));
  });
  const server = new ServerProcess(child, ended, log, await connectionTo(directory));
  // A test that failed must not leave a process behind, nor be kept from ending by it.
  after(() => {
    server.kill("SIGKILL");
    server.forget();
  });
  return server;
}

async function connectionTo(directory: string): Promise<RequestOptions> {
  const { clusters, users } = JSON.parse(await readFile(join(directory, "admin.conf"), "utf8"));
  const { server, "certificate-authority-data": ca } = clusters[0].cluster;
  const { "client-certificate-data": cert, "client-key-data": key } = users[0].user;
  const text = (base64: string): string => Buffer.from(base64, "base64").toString();
  const agent = new Agent({ keepAlive: true, ca: text(ca), cert: text(cert), key: text(key) });
  return { host: "127.0.0.1", port: Number(new URL(server).port), agent };
}

export class ServerProcess {
  readonly log: readonly string[];
  /** Settles when the process is gone. */
  readonly ended: Promise<Ended>;
  private readonly child: ChildProcess;
  private readonly connection: RequestOptions;

  constructor(
    child: ChildProcess,
    ended: Promise<Ended>,
    log: readonly string[],
    connection: RequestOptions,
  ) {
    this.child = child;
    this.ended = ended;
    this.log = log;
    this.connection = connection;
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Ends the server as one does, and the connections to it. */
  async stop(): Promise<Ended> {
    this.kill("SIGTERM");
    const ended = await this.ended;
    this.forget();
    return ended;
  }

  /** Closes the connections of this side. */
  forget(): void {
    (this.connection.agent as Agent).destroy();
  }

  /** Rejects where the connection breaks: then nobody knows whether it was done. */
  async ask(method: string, path: string, body?: object): Promise<Answer> {
    const { code, text } = await this.send(method, path, body);
    return { code, object: JSON.parse(text) as Shown };
  }

  /** What is no JSON. */
  async text(path: string): Promise<string> {
    const { code, text } = await this.send("GET", path);
    assert.equal(code, 200, text);
    return text;
  }

  private send(method: string, path: string, body?: object): Promise<{ code: number; text: string }> {
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const headers = { "content-type": type };
    return new Promise((resolve, reject) => {
      const asked = request({ ...this.connection, method, path, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("error", reject);
        answer.on("end", () => {
          resolve({ code: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
        });
      });
      asked.on("error", reject);
      asked.end(body && JSON.stringify(body));
    });
  }

  async ok(method: string, path: string, body?: object): Promise<Shown> {
    const { code, object } = await this.ask(method, path, body);
    assert.ok(code < 300, `${method} ${path}: ${code} ${object.message}`);
    return object;
  }

  /** Tells each event; resolves when the watch is over, with whether it ended properly. */
  watch(
    path: string,
    told: (event: WatchEvent) => void,
    signal?: AbortSignal,
  ): Promise<{ properly: boolean }> {
    return new Promise((resolve) => {
      const broken = (): void => resolve({ properly: false });
      const asked = request({ ...this.connection, path, signal }, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => {
          const lines = (text + chunk).split("\n");
          text = lines.pop() ?? "";
          for (const line of lines) told(JSON.parse(line) as WatchEvent);
        });
        answer.on("error", broken);
        answer.on("end", () => resolve({ properly: true }));
      });
      asked.on("error", broken);
      asked.end();
    });
  }
}
