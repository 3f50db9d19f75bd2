/** What the program tells of itself while it runs, and the socket by which it tells it. */
import { once } from "node:events";
import { chmod, mkdir, rm } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { dirname } from "node:path";

export interface ClusterStatus {
  version: string;
  pid: number;
  /** In milliseconds since 1970. */
  started: number;
  /** A server has the control plane; an agent is a node of a server elsewhere. */
  role: "server" | "agent";
  /** The API server's address. */
  server: string;
  components: ComponentStatus[];
  node?: NodeStatus;
  memoryBytes: number;
}

export interface ComponentStatus {
  name: string;
  /** `running`: does its work. */
  state: "starting" | "running" | "failed";
  message: string;
  /** Of the state, in milliseconds since 1970. */
  since: number;
}

export interface NodeStatus {
  name: string;
  ready: boolean;
  message: string;
  /** How many there are in place of a real one; 0: it is real. */
  simulated: number;
}

/** Holds the status and tells it, and each change of it, to whoever connects: a line of JSON each. */
export class StatusBoard {
  private status: ClusterStatus;
  private readonly listeners = new Set<Socket>();
  private readonly now: () => number;

  constructor(status: Omit<ClusterStatus, "components" | "memoryBytes">, now: () => number) {
    this.status = { ...status, components: [], memoryBytes: 0 };
    this.now = now;
  }

  set(name: string, state: ComponentStatus["state"], message = ""): void {
    const components = this.status.components.filter((component) => component.name !== name);
    const before = this.status.components.find((component) => component.name === name);
    const since = before?.state === state ? before.since : this.now();
    const place = before ? this.status.components.indexOf(before) : components.length;
    components.splice(place, 0, { name, state, message, since });
    this.tell({ components });
  }

  remove(name: string): void {
    this.tell({ components: this.status.components.filter((component) => component.name !== name) });
  }

  tell(change: Partial<ClusterStatus>): void {
    this.status = { ...this.status, ...change };
    for (const listener of this.listeners) listener.write(this.line());
  }

  /** Only who runs the program may read it. */
  async serve(path: string): Promise<{ close(): Promise<void> }> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // Whoever serves has the store's lock or the node's port: what is here was left behind.
    await rm(path, { force: true });
    const server = createServer((socket) => {
      this.listeners.add(socket);
      socket.on("close", () => this.listeners.delete(socket));
      socket.on("error", () => {});
      socket.write(this.line());
    });
    server.listen(path);
    await once(server, "listening");
    await chmod(path, 0o600);
    server.unref();
    return {
      close: async () => {
        for (const listener of this.listeners) listener.destroy();
        server.close();
        await rm(path, { force: true });
      },
    };
  }

  private line(): string {
    return `${JSON.stringify({ ...this.status, memoryBytes: process.memoryUsage.rss() })}\n`;
  }
}

/** Each status from now on, until the program ends; nothing where none runs. */
export async function* followStatus(path: string, signal?: AbortSignal): AsyncGenerator<ClusterStatus> {
  const socket = connect(path);
  const abort = (): void => {
    socket.destroy();
  };
  signal?.addEventListener("abort", abort, { once: true });
  try {
    await once(socket, "connect");
    let rest = "";
    for await (const chunk of socket.setEncoding("utf8")) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) yield JSON.parse(line) as ClusterStatus;
    }
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (
      !["ENOENT", "ECONNREFUSED", "ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"].includes(code) &&
      !signal?.aborted
    )
      throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
    socket.destroy();
  }
}

export async function readStatus(path: string): Promise<ClusterStatus | undefined> {
  for await (const status of followStatus(path)) return status;
  return undefined;
}
