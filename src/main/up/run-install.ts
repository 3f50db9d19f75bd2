/** Has systemd start the cluster with the machine. */
import { existsSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { UsageError } from "../../cli/verb.ts";
import type { InstallRun } from "../../cli/verbs/install.ts";
import { defaultDataDir, type Layout } from "../../cluster/layout.ts";
import { writeFileAtomically } from "../../cluster/pki/write-file-atomically.ts";
import { type RunCommand, runCommand } from "../../host/command.ts";
import { lacking } from "../../host/machine/machine.ts";
import { readSettings } from "./settings.ts";

/** There where systemd is the init, as sd_booted(3) tells. */
const BOOTED = "/run/systemd/system";
const UNITS = "/etc/systemd/system";

export async function runInstall({ layout, remove }: InstallRun): Promise<void> {
  if (remove) {
    const removed = await removeUnit(layout);
    process.stdout.write(
      removed ? "The cluster does not start with the machine any more.\n" : "Nothing to remove.\n",
    );
    return;
  }
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    throw new UsageError("what starts with the machine is set by root on Linux: run it as root.");
  if (!existsSync(BOOTED) || (await lacking(["systemctl"])).length > 0)
    throw new UsageError(
      "this machine was not started by systemd: have its own init run `kybern up` at the start.",
    );
  if ((await readSettings(layout)) === undefined)
    throw new UsageError(`there is no cluster in ${layout.dataDir} yet: start it once with \`kybern up\`.`);
  const [script = ""] = process.argv.slice(1);
  const unit = unitText(layout, [process.execPath, ...process.execArgv, script]);
  await writeFileAtomically(`${UNITS}/${unitName(layout)}`, unit, 0o644);
  await runCommand("systemctl", ["daemon-reload"]);
  await runCommand("systemctl", ["enable", unitName(layout)]);
  process.stdout.write(`The cluster starts with the machine from now on (${unitName(layout)}).\n`);
}

/** Whether there was one. Any number of times. */
export async function removeUnit(
  layout: Layout,
  run: RunCommand = runCommand,
  units: string = UNITS,
): Promise<boolean> {
  const path = `${units}/${unitName(layout)}`;
  if ((await readFile(path, "utf8").catch(() => undefined)) === undefined) return false;
  await run("systemctl", ["disable", unitName(layout)]).catch(() => {});
  await rm(path, { force: true });
  await run("systemctl", ["daemon-reload"]).catch(() => {});
  return true;
}

/** One for each data directory. */
export function unitName({ dataDir }: Layout): string {
  if (dataDir === defaultDataDir({ root: true, env: {} })) return "kybern.service";
  return `kybern${dataDir.replace(/[^A-Za-z0-9]+/g, "-")}.service`;
}

/**
 * The program has a supervisor of its own, so that all verbs work the same with and without systemd, which only says when
 * to begin and to end. Containers are no part of the service: to stop it leaves them running.
 */
export function unitText({ dataDir }: Layout, program: readonly string[]): string {
  const command = (verb: string): string =>
    [...program, verb, "--data-dir", dataDir]
      .map((word) => (/[\s"\\$%]/.test(word) ? quoted(word) : word))
      .join(" ");
  return `[Unit]
Description=Kubernetes by Kybern (${dataDir})
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
KillMode=none
Delegate=yes
TasksMax=infinity
LimitNOFILE=1048576
TimeoutStartSec=0
ExecStart=${command("up")}
ExecStop=${command("down")}

[Install]
WantedBy=multi-user.target
`;
}

function quoted(word: string): string {
  return `"${word.replace(/["\\]/g, "\\$&").replaceAll("$", "$$$$").replaceAll("%", "%%")}"`;
}
