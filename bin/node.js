#!/usr/bin/env node
// Runs a script with a Node that is new enough: the one that npm installed beside the package, or this one.
// Plain JavaScript on purpose: whatever Node the machine has must be able to read it.
import { spawn } from "node:child_process";
import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST = 24;
const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"];

/** The path of a Node of at least version 24, or undefined where there is none. */
export function findNode() {
  const require = createRequire(import.meta.url);
  try {
    const name = `node-${process.platform}-${process.arch}`;
    return join(dirname(require.resolve(`${name}/package.json`)), "bin", "node");
  } catch {
    return Number(process.versions.node.split(".")[0]) >= OLDEST ? process.execPath : undefined;
  }
}

/**
 * Replaces this process by Node running `args`; where the platform cannot, runs it as a child and mirrors its end.
 *
 * `tied` is for a program that must not outlive this process nor hear a signal twice: as a child it gets a process group
 * of its own, and the pipe that KYBERN_LAUNCHER names, which closes when this process is no more, however it ended.
 */
export function runNode(args, { tied = false, env = process.env } = {}) {
  const node = findNode();
  if (!node) {
    console.error(
      `kybern needs Node.js ${OLDEST} or newer and found ${process.version}: install a newer Node.js, or run "npm install" with optional dependencies.`,
    );
    process.exit(1);
  }
  if (typeof process.execve === "function") {
    process.execve(node, [node, ...args], env);
  }
  const stdio = ["inherit", "inherit", "inherit"];
  if (!tied) mirror(spawn(node, args, { stdio, env }));
  else {
    const told = { ...env, KYBERN_LAUNCHER: String(stdio.length) };
    mirror(spawn(node, args, { stdio: [...stdio, "pipe"], detached: true, env: told }));
  }
}

/** Makes this process end as the child does, and the child hear what this process is told. */
function mirror(child) {
  for (const signal of FORWARDED) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`kybern could not start ${child.spawnfile}: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (!signal) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
    // Some signals do not end a Node process; a shell would tell the same end by this code.
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
  });
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  runNode(process.argv.slice(2));
}
