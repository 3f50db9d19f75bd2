/**
 * Two machines on one wire, each with a containerd of its own: one has the cluster, the other joined it by a token. Gone
 * with all that was made on them when it is disposed of.
 *
 *   a 192.168.79.1 ──wire── 192.168.79.2 b
 */
import type { ChildProcess } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { type Image, imageArchive } from "../../../src/host/oci/image.ts";
import { unpackTools } from "../../e2e/tools.ts";
import { machinePlace, ok, type Place } from "./machine-place.ts";
import { networkNamespaces, type WiredMachine } from "./network-namespaces.ts";

export interface TestMachine extends Place {
  readonly node: string;
  readonly address: string;
  readonly machine: WiredMachine;
  /** What there was before Kybern. */
  readonly bare: Awaited<ReturnType<Place["traces"]>>;
}

export interface TwoNodes extends AsyncDisposable {
  /** With the control plane. */
  readonly a: TestMachine;
  readonly b: TestMachine;
  /** What kubectl says; throws where it does not end well. */
  kubectl(...words: string[]): Promise<string>;
  /** Starts it; it is killed when the test ends. */
  startKubectl(...words: string[]): ChildProcess;
  apply(...objects: object[]): Promise<void>;
  /** What a line of the shell says in a pod. */
  inPod(pod: string, line: string): Promise<string>;
}

export async function twoNodes(t: TestContext, images: readonly Image[]): Promise<TwoNodes> {
  const machines = await networkNamespaces(t, { a: ["192.168.79.1/24"], b: ["192.168.79.2/24"] });
  const places: TestMachine[] = [];
  const dispose = async (): Promise<void> => {
    for (const place of places.reverse()) await place[Symbol.asyncDispose]();
  };
  const add = async (name: "a" | "b", address: string): Promise<TestMachine> => {
    const place = await machinePlace(machines[name].name);
    // As to any network beyond the wire: a node that has no way out at all does not even try to reach Services.
    await machines[name].run("ip", ["route", "add", "default", "dev", "eth0"]);
    const bare = await place.traces();
    const added = { ...place, node: `node-${name}`, address, machine: machines[name], bare };
    places.push(added);
    return added;
  };
  try {
    const a = await add("a", "192.168.79.1");
    const b = await add("b", "192.168.79.2");
    await ok(a.kybern("up", "--node-name", a.node));
    const { out } = await ok(a.kybern("token", "create"));
    const words = /join .*$/m.exec(out)?.[0].split(" ") ?? [];
    await ok(b.kybern(...words, "--node-name", b.node));
    await Promise.all([importInto(a, images), importInto(b, images)]);
    const kubectl = async (...all: string[]): Promise<string> => (await ok(a.kubectl(...all))).out;
    await kubectl("wait", "--for=condition=Ready", "node", "--all", "--timeout=60s");
    const tools = await unpackTools();
    return {
      a,
      b,
      kubectl,
      startKubectl: (...all) =>
        a.machine.spawn(tools.kubectl, ["--kubeconfig", join(a.directory, "admin.conf"), ...all]),
      async apply(...objects) {
        const file = join(dirname(a.directory), "objects.json");
        const list = { apiVersion: "v1", kind: "List", items: objects };
        await writeFile(file, JSON.stringify(list));
        await kubectl("apply", "-f", file);
        await rm(file);
      },
      inPod: (pod, line) => kubectl("exec", pod, "--", "sh", "-c", line),
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function importInto({ directory, kybern }: Place, images: readonly Image[]): Promise<void> {
  const archive = join(dirname(directory), "images.tar");
  await writeFile(archive, imageArchive([...images]));
  await ok(kybern("images", "import", archive));
  await rm(archive);
}
