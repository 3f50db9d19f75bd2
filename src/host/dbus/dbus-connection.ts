/**
 * A connection to a message bus, of the size that this project needs: calls and signals, no file descriptors.
 *
 *   const bus = await openDBus({ signal: (message) => … });
 *   await bus.call({ destination, path, interface, member, signature: "s", body: ["…"] });
 */
import { connect, type Socket } from "node:net";
import { CALL, type DBusMessage, decodeMessage, encodeMessage, FAILURE, RETURN, SIGNAL } from "./message.ts";
import { DBusError, type Value } from "./values.ts";

export interface DBusOptions {
  /** As `unix:path=/run/dbus/system_bus_socket`; that of the system by default. */
  address?: string | undefined;
  signal(message: DBusMessage): void;
}

export type DBusCall = Pick<DBusMessage, "destination" | "path" | "interface" | "member" | "signature"> & {
  body?: readonly Value[];
};

export interface DBusConnection {
  /** The answer's body. Throws DBusError. */
  call(call: DBusCall): Promise<readonly Value[]>;
  /** Asks for signals that match the rule: `type='signal',interface='…'`. */
  match(rule: string): Promise<void>;
  readonly property: (of: Omit<DBusCall, "member" | "signature" | "body">, name: string) => Promise<Value>;
  /** Resolves when the connection is no more. */
  readonly closed: Promise<void>;
  close(): void;
}

const SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket";
const BUS = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
};
/** Milliseconds that an answer may take. */
const PATIENCE = 10_000;

/** Throws where there is no bus (ENOENT, ECONNREFUSED), or none that lets this user in. */
export async function openDBus(options: DBusOptions): Promise<DBusConnection> {
  const address = options.address ?? process.env.DBUS_SYSTEM_BUS_ADDRESS ?? SYSTEM_BUS;
  const socket = await connected(socketPath(address));
  const bus = new Connection(socket, options);
  try {
    await bus.introduced;
    await bus.call({ ...BUS, member: "Hello" });
    return bus;
  } catch (error) {
    bus.close();
    throw error;
  }
}

/** Of the first part that this machine can have. */
export function socketPath(address: string): string {
  for (const one of address.split(";")) {
    const [, path] = /^unix:(?:.*,)?path=([^,]+)/.exec(one) ?? [];
    if (path !== undefined) return decodeURIComponent(path);
    const [, name] = /^unix:(?:.*,)?abstract=([^,]+)/.exec(one) ?? [];
    if (name !== undefined) return `\0${decodeURIComponent(name)}`;
  }
  throw new DBusError(`no address of a bus here: ${JSON.stringify(address)}`);
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

interface Waiting {
  resolve(body: readonly Value[]): void;
  reject(error: Error): void;
  timer: NodeJS.Timeout;
}

class Connection implements DBusConnection {
  readonly closed: Promise<void>;
  /** Resolves when the bus knows who we are. */
  readonly introduced: Promise<void>;
  private readonly socket: Socket;
  private readonly options: DBusOptions;
  private readonly waiting = new Map<number, Waiting>();
  private readonly welcome = Promise.withResolvers<void>();
  private isIntroduced = false;
  private left: Buffer = Buffer.alloc(0);
  private serial = 0;

  constructor(socket: Socket, options: DBusOptions) {
    this.socket = socket;
    this.options = options;
    this.introduced = this.welcome.promise;
    this.closed = new Promise((resolve) =>
      socket.once("close", () => {
        this.fail(new DBusError("the connection to the message bus was closed"));
        resolve();
      }),
    );
    socket.on("error", (error) => this.fail(error));
    socket.on("data", (bytes: Buffer) => this.hear(bytes));
    const user = Buffer.from(String(process.getuid?.() ?? 0)).toString("hex");
    socket.write(`\0AUTH EXTERNAL ${user}\r\n`);
  }

  readonly property: DBusConnection["property"] = async (of, name) => {
    const [value] = await this.call({
      ...of,
      interface: "org.freedesktop.DBus.Properties",
      member: "Get",
      signature: "ss",
      body: [of.interface ?? "", name],
    });
    return value!;
  };

  call(call: DBusCall): Promise<readonly Value[]> {
    const serial = ++this.serial;
    return new Promise((resolve, reject) => {
      if (this.socket.destroyed) throw new DBusError("the connection to the message bus was closed");
      const late = (): void => this.settle(serial)?.reject(new DBusError(`no answer to ${call.member}`));
      this.waiting.set(serial, { resolve, reject, timer: setTimeout(late, PATIENCE) });
      this.socket.write(encodeMessage({ body: [], ...call, type: CALL, serial }));
    });
  }

  async match(rule: string): Promise<void> {
    await this.call({ ...BUS, member: "AddMatch", signature: "s", body: [rule] });
  }

  close(): void {
    this.socket.destroy();
  }

  private hear(bytes: Buffer): void {
    this.left = this.left.length === 0 ? bytes : Buffer.concat([this.left, bytes]);
    try {
      if (!this.isIntroduced && !this.introduce()) return;
      for (let found = decodeMessage(this.left); found; found = decodeMessage(this.left)) {
        this.left = this.left.subarray(found.length);
        this.take(found.message);
      }
    } catch (error) {
      this.fail(error as Error);
      this.socket.destroy();
    }
  }

  /** Lines until both agree, messages from then on. */
  private introduce(): boolean {
    const end = this.left.indexOf("\r\n");
    if (end < 0) return false;
    const line = this.left.subarray(0, end).toString();
    if (!line.startsWith("OK ")) throw new DBusError(`the message bus does not let us in: ${line}`);
    this.left = this.left.subarray(end + 2);
    this.isIntroduced = true;
    this.socket.write("BEGIN\r\n");
    this.welcome.resolve();
    return true;
  }

  private take(message: DBusMessage): void {
    const { type, replySerial = 0, body, errorName } = message;
    if (type === SIGNAL) this.options.signal(message);
    else if (type === RETURN) this.settle(replySerial)?.resolve(body);
    else if (type === FAILURE)
      this.settle(replySerial)?.reject(new DBusError(String(body[0] ?? errorName), errorName));
  }

  private settle(serial: number): Waiting | undefined {
    const waiting = this.waiting.get(serial);
    this.waiting.delete(serial);
    clearTimeout(waiting?.timer);
    return waiting;
  }

  private fail(error: Error): void {
    this.welcome.reject(error);
    for (const serial of [...this.waiting.keys()]) this.settle(serial)?.reject(error);
  }
}
