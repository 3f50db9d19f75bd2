/** systemd-logind by D-Bus (org.freedesktop.login1), as far as whoever wants to delay a shutdown needs it. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DBusConnection, openDBus } from "../dbus/dbus-connection.ts";
import type { DBusMessage } from "../dbus/message.ts";

export interface Logind {
  /** Milliseconds that locks may delay a shutdown at most. */
  longestDelay(): Promise<number>;
  /** Has logind allow so many milliseconds: by a file of its configuration, which it then reads anew. */
  allowDelay(milliseconds: number): Promise<void>;
  /** Whether the machine is being shut down now. */
  isPreparingForShutdown(): Promise<boolean>;
  /** Resolves when what is known of it does not hold any more: the bus has gone, or another logind has come. */
  readonly gone: Promise<void>;
  close(): void;
}

export interface LogindOptions {
  /** The machine is about to be shut down; false: it is not, after all. */
  prepareForShutdown(active: boolean): void;
  /** Whose addition to logind's configuration it is: a name that nobody else has. */
  owner: string;
  /** Where logind's configuration is added to. */
  directory?: string;
  /** Of the message bus; that of the system by default. */
  address?: string;
}

const SERVICE = "org.freedesktop.login1";
const MANAGER = {
  destination: SERVICE,
  path: "/org/freedesktop/login1",
  interface: "org.freedesktop.login1.Manager",
};
const SYSTEMD = {
  destination: "org.freedesktop.systemd1",
  path: "/org/freedesktop/systemd1",
  interface: "org.freedesktop.systemd1.Manager",
};
const SIGHUP = 1;

/** Where upstream's kubelet puts it too. */
const LOGIND_DIRECTORY = "/etc/systemd/logind.conf.d";
const LOGIND_FILE = "99-kubelet.conf";

/** Throws where there is no bus, or no logind on it. */
export async function openLogind(options: LogindOptions): Promise<Logind> {
  const { promise: replaced, resolve } = Promise.withResolvers<void>();
  const bus = await openDBus({
    address: options.address,
    signal({ member, body }: DBusMessage) {
      if (member === "PrepareForShutdown") options.prepareForShutdown(body[0] === true);
      else if (member === "NameOwnerChanged" && body[0] === SERVICE) resolve();
    },
  });
  try {
    const from = `type='signal',sender='${SERVICE}',interface='${MANAGER.interface}'`;
    await bus.match(`${from},member='PrepareForShutdown',path='${MANAGER.path}'`);
    const logind = logindOn(bus, options, replaced);
    // Where it does not run yet, this begins it: that is no other one.
    await logind.longestDelay();
    const owner = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged'";
    await bus.match(`${owner},arg0='${SERVICE}'`);
    return logind;
  } catch (error) {
    bus.close();
    throw error;
  }
}

function logindOn(bus: DBusConnection, options: LogindOptions, replaced: Promise<void>): Logind {
  return {
    async longestDelay() {
      // Microseconds.
      return Number(await bus.property(MANAGER, "InhibitDelayMaxUSec")) / 1000;
    },
    async allowDelay(milliseconds) {
      const { directory = LOGIND_DIRECTORY } = options;
      await mkdir(directory, { recursive: true, mode: 0o755 });
      await writeFile(join(directory, LOGIND_FILE), delayConfiguration(milliseconds, options.owner), {
        mode: 0o644,
      });
      await bus.call({
        ...SYSTEMD,
        member: "KillUnit",
        signature: "ssi",
        body: ["systemd-logind.service", "all", SIGHUP],
      });
    },
    async isPreparingForShutdown() {
      return (await bus.property(MANAGER, "PreparingForShutdown")) === true;
    },
    gone: Promise.race([bus.closed, replaced]),
    close: () => bus.close(),
  };
}

/** Whole seconds: logind takes them so. */
function delayConfiguration(milliseconds: number, owner: string): string {
  return `${headOf(owner)}[Login]\nInhibitDelayMaxSec=${Math.ceil(milliseconds / 1000)}\n`;
}

function headOf(owner: string): string {
  return `# Kubelet logind override\n# of Kybern in ${owner}\n`;
}

/** Takes back what `allowDelay` added. logind goes by it until it is started again. */
export async function removeDelay(owner: string, directory = LOGIND_DIRECTORY): Promise<void> {
  const path = join(directory, LOGIND_FILE);
  const text = await readFile(path, "utf8").catch(() => "");
  if (text.startsWith(headOf(owner))) await rm(path, { force: true });
}
