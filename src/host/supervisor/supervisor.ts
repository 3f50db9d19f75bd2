/**
 * Keeps a program running in the background: a shell of a megabyte that starts it again when it fails, each time later,
 * up to half a minute; not where it ended by itself with 0. It is detached, so that it outlives terminals and sessions.
 */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { endProcess, processOf } from "../processes.ts";

export interface SupervisorPlaces {
  supervisorPid: string;
  programPid: string;
  log: string;
  /** Whether a command line is the program's: ids are given out again. */
  isProgram: (command: readonly string[]) => boolean;
}

/** Set in the program's environment where it has a supervisor. */
export const SUPERVISED = "KYBERN_SUPERVISED";
/** In the supervisor's command line, by which it is known. */
const NAME = "kybern-supervisor";

const SCRIPT = `
pidfile=$1; shift
stopping= backoff=0 child=
trap 'stopping=1; [ -n "$child" ] && kill -TERM "$child" 2>/dev/null' TERM INT HUP
while :; do
  began=$(date +%s)
  "$@" &
  child=$!
  echo "$child" > "$pidfile"
  [ -n "$stopping" ] && kill -TERM "$child" 2>/dev/null
  while :; do
    wait "$child"; status=$?
    kill -0 "$child" 2>/dev/null || break
  done
  child=
  rm -f "$pidfile"
  [ -n "$stopping" ] && exit 0
  [ "$status" = 0 ] && exit 0
  ran=$(( $(date +%s) - began ))
  if [ "$ran" -ge 30 ]; then backoff=0; elif [ "$backoff" = 0 ]; then backoff=1
  else backoff=$(( backoff * 2 )); [ "$backoff" -gt 30 ] && backoff=30; fi
  echo "$(date -u +%Y-%m-%dT%H:%M:%S.000Z) warn ended with status $status after $ran s, and is started again after $backoff s"
  if [ "$backoff" != 0 ]; then sleep "$backoff" & child=$!; wait "$child"; kill "$child" 2>/dev/null; child=; fi
  [ -n "$stopping" ] && exit 0
done
`;

/** Starts the command under a supervisor of its own. */
export async function startSupervised(
  places: SupervisorPlaces,
  command: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  for (const path of [places.supervisorPid, places.programPid, places.log])
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const log = openSync(places.log, "a", 0o600);
  try {
    const child = spawn("/bin/sh", ["-c", SCRIPT, NAME, places.programPid, ...command], {
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...env, [SUPERVISED]: "1" },
      cwd: "/",
    });
    const started = Promise.withResolvers<void>();
    child.once("spawn", started.resolve);
    child.once("error", started.reject);
    await started.promise;
    await writeFile(places.supervisorPid, `${child.pid}\n`, { mode: 0o600 });
    child.unref();
  } finally {
    closeSync(log);
  }
}

export interface Supervised {
  supervisor: number | undefined;
  /** The program may outlive a supervisor that was killed. */
  program: number | undefined;
}

export async function findSupervised(places: SupervisorPlaces): Promise<Supervised> {
  const [supervisor, program] = await Promise.all([
    processOf(
      places.supervisorPid,
      (command) => command.includes(NAME) && command.includes(places.programPid),
    ),
    processOf(places.programPid, (command) => !command.includes(NAME) && places.isProgram(command)),
  ]);
  return { supervisor, program };
}

/** Ends the program in good order, and its supervisor with it. Any number of times. */
export async function stopSupervised(places: SupervisorPlaces, graceMs: number): Promise<void> {
  const { supervisor, program } = await findSupervised(places);
  if (supervisor !== undefined) await endProcess(supervisor, graceMs);
  if (program !== undefined) await endProcess(program, supervisor === undefined ? graceMs : 1000);
  await rm(places.supervisorPid, { force: true });
  await rm(places.programPid, { force: true });
}

/** The end of the log, for whoever asks why the program does not run. */
export async function lastLines(path: string, count: number): Promise<string[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-count).filter(Boolean);
}
