/** Unmodified kubectl, as the administrator of a node's cluster. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unpackTools } from "../../e2e/tools.ts";
import type { TestNode } from "./test-node.ts";

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Kubectl extends AsyncDisposable {
  /** Starts it; whoever does reads what it says and ends it. */
  start(arguments_: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess;
  /** Runs it to its end, whatever that is. */
  run(arguments_: readonly string[], input?: string | Buffer): Promise<Ran>;
  /** What it says; throws where it does not end well. */
  ok(arguments_: readonly string[], input?: string | Buffer): Promise<string>;
}

export async function openKubectl(node: TestNode): Promise<Kubectl> {
  const [{ kubectl }, home] = [await unpackTools(), await mkdtemp(join(tmpdir(), "kyk-"))];
  const own = ["--kubeconfig", node.layout.adminConfig, "--server", `https://${node.address}:6443`];
  const children = new Set<ChildProcess>();
  const start: Kubectl["start"] = (arguments_, env = {}) => {
    const child = spawn(kubectl, [...own, ...arguments_], { env: { ...process.env, HOME: home, ...env } });
    children.add(child);
    child.once("exit", () => children.delete(child));
    return child;
  };
  const run: Kubectl["run"] = (arguments_, input = "") =>
    new Promise((resolve, reject) => {
      const child = start(arguments_);
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout!.on("data", (chunk: Buffer) => out.push(chunk));
      child.stderr!.on("data", (chunk: Buffer) => err.push(chunk));
      child.once("error", reject);
      child.once("close", (code) =>
        resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() }),
      );
      child.stdin!.on("error", () => {});
      child.stdin!.end(input);
    });
  return {
    start,
    run,
    async ok(arguments_, input) {
      const { code, stdout, stderr } = await run(arguments_, input);
      if (code !== 0)
        throw new Error(`kubectl ${arguments_.join(" ")} ended with ${code}:\n${stderr}${stdout}`);
      return stdout;
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGKILL");
      await rm(home, { recursive: true, force: true });
    },
  };
}
