/**
 * A systemd-logind that says what the test wants, on a message bus of its own, for a machine that does not run it:
 *
 *   kubelet ──▶ dbus-daemon ◀── org.freedesktop.login1, played here
 *      └──────▶ systemd-inhibit, played by a script: it runs what it is given, and tells when it began and ended
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { watch } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  CALL,
  type DBusMessage,
  decodeMessage,
  encodeMessage,
  RETURN,
  SIGNAL,
} from "../../../src/host/dbus/message.ts";
import type { Value } from "../../../src/host/dbus/values.ts";

export interface FakeLogind extends AsyncDisposable {
  /** What the program that is to find it must have in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of its bus. */
  readonly address: string;
  /** What it says of the machine, and what systemd was told of its unit. */
  readonly state: { delaySeconds: number; preparing: boolean; kills: (readonly Value[])[] };
  /** Says that the machine is about to be shut down, or that it is not after all. */
  prepareForShutdown(active: boolean): void;
  /** Goes, and comes again. */
  restart(): Promise<void>;
  /** Resolves with what became of locks so far once that is so much: `held --what=shutdown …`, `released`. */
  locks(count: number): Promise<string[]>;
}

const NAME = "org.freedesktop.login1";
const SYSTEMD = "org.freedesktop.systemd1";
const BUS = {
  destination: "org.freedesktop.DBus",
  path: "/org/freedesktop/DBus",
  interface: "org.freedesktop.DBus",
};
const DO_NOT_QUEUE = 4;

export async function startFakeLogind(): Promise<FakeLogind> {
  const directory = await mkdtemp(join(tmpdir(), "kyl-"));
  const [socket, locks] = [join(directory, "bus"), join(directory, "locks")];
  await writeFile(locks, "");
  await writeFile(join(directory, "bus.conf"), configuration(socket));
  await writeFile(join(directory, "systemd-inhibit"), inhibitor(locks), { mode: 0o755 });
  const daemon = spawn(
    "dbus-daemon",
    [`--config-file=${join(directory, "bus.conf")}`, "--nofork", "--nopidfile", "--print-address"],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const dispose = async (): Promise<void> => {
    await ended(daemon);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const failed = failure(daemon);
    // It is ended by us, some day.
    failed.catch(() => {});
    await Promise.race([once(createInterface(daemon.stdout), "line"), failed]);
    const state: FakeLogind["state"] = { delaySeconds: 120, preparing: false, kills: [] };
    const service = await Service.connect(socket, state);
    for (const name of [NAME, SYSTEMD]) await service.request("RequestName", name);
    const address = `unix:path=${socket}`;
    return {
      address,
      environment: {
        DBUS_SYSTEM_BUS_ADDRESS: address,
        PATH: `${directory}:${process.env.PATH}`,
      },
      state,
      prepareForShutdown(active) {
        state.preparing = active;
        service.say("PrepareForShutdown", active);
      },
      async restart() {
        await service.request("ReleaseName", NAME);
        await service.request("RequestName", NAME);
      },
      locks: (count) => untilLines(locks, count),
      async [Symbol.asyncDispose]() {
        service.close();
        await dispose();
      },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function configuration(socket: string): string {
  return `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
  </policy>
</busconfig>
`;
}

/** Its flags, then what it runs for as long as the lock is held. */
function inhibitor(locks: string): string {
  return `#!/bin/sh
echo "held $1 $2 $3" >> ${locks}
while [ "\${1#--}" != "$1" ]; do shift; done
"$@"
echo released >> ${locks}
`;
}

/** The one connection of the service. */
class Service {
  private readonly socket: Socket;
  private readonly state: FakeLogind["state"];
  private readonly answers = new Map<number, () => void>();
  private left: Buffer = Buffer.alloc(0);
  private serial = 0;

  static async connect(path: string, state: FakeLogind["state"]): Promise<Service> {
    const socket = connect(path);
    await once(socket, "connect");
    socket.write(`\0AUTH EXTERNAL ${Buffer.from(String(process.getuid?.())).toString("hex")}\r\n`);
    await once(socket, "data");
    socket.write("BEGIN\r\n");
    const service = new Service(socket, state);
    await service.call({ ...BUS, member: "Hello" });
    return service;
  }

  constructor(socket: Socket, state: FakeLogind["state"]) {
    this.socket = socket;
    this.state = state;
    socket.on("data", (bytes: Buffer) => {
      this.left = Buffer.concat([this.left, bytes]);
      for (let found = decodeMessage(this.left); found; found = decodeMessage(this.left)) {
        this.left = this.left.subarray(found.length);
        this.take(found.message);
      }
    });
  }

  async request(member: "RequestName" | "ReleaseName", name: string): Promise<void> {
    const isRequest = member === "RequestName";
    const body = isRequest ? [name, DO_NOT_QUEUE] : [name];
    await this.call({ ...BUS, member, signature: isRequest ? "su" : "s", body });
  }

  say(member: string, value: boolean): void {
    const of = { path: "/org/freedesktop/login1", interface: `${NAME}.Manager` };
    this.send({ type: SIGNAL, ...of, member, signature: "b", body: [value] });
  }

  close(): void {
    this.socket.destroy();
  }

  private call(call: Partial<DBusMessage>): Promise<void> {
    return new Promise((resolve) => this.answers.set(this.send({ type: CALL, ...call }), resolve));
  }

  private send(message: Partial<DBusMessage> & { type: number }): number {
    const serial = ++this.serial;
    this.socket.write(encodeMessage({ body: [], ...message, serial }));
    return serial;
  }

  private take({ type, serial, replySerial = 0, sender, member, body }: DBusMessage): void {
    if (type === RETURN) this.answers.get(replySerial)?.();
    if (type !== CALL) return;
    const { delaySeconds, preparing, kills } = this.state;
    const to = { destination: sender ?? "", replySerial: serial };
    if (member === "KillUnit") {
      kills.push(body);
      this.send({ type: RETURN, ...to });
    }
    if (member !== "Get") return;
    const value =
      body[1] === "PreparingForShutdown"
        ? (["b", preparing] as const)
        : (["t", BigInt(delaySeconds) * 1_000_000n] as const);
    this.send({ type: RETURN, ...to, signature: "v", body: [value] });
  }
}

function untilLines(path: string, count: number): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      readFile(path, "utf8").then((text) => {
        const lines = text.split("\n").filter((line) => line !== "");
        if (lines.length < count) return;
        watcher.close();
        resolve(lines);
      }, reject);
    };
    const watcher = watch(path, look);
    look();
  });
}

async function failure(child: ChildProcess): Promise<never> {
  const said: Buffer[] = [];
  child.stderr?.on("data", (bytes: Buffer) => said.push(bytes));
  const [code] = (await once(child, "close")) as [number | null];
  throw new Error(`dbus-daemon ended with ${code}: ${Buffer.concat(said)}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
