#!/usr/bin/env node
// Runs a script with a Node that is new enough: this one, or the one that npm installed beside the package.
// Plain JavaScript on purpose: whatever Node the machine has must be able to read it.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST = 24;

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

/** Replaces this process by Node running `args`; where the platform cannot, runs it as a child and mirrors its end. */
export function runNode(args) {
  const node = findNode();
  if (!node) {
    console.error(
      `kybern needs Node.js ${OLDEST} or newer and found ${process.version}: install a newer Node.js, or run "npm install" with optional dependencies.`,
    );
    process.exit(1);
  }
  if (typeof process.execve === "function") {
    process.execve(node, [node, ...args], process.env);
  }
  const child = spawn(node, args, { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    } else process.exit(code ?? 1);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) runNode(process.argv.slice(2));
