import { access } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { table } from "../../cli/table.ts";
import { UsageError } from "../../cli/verb.ts";
import type { ImagesRun } from "../../cli/verbs/images.ts";
import type { Layout } from "../../cluster/layout.ts";
import { CommandError, runCommand } from "../../host/command.ts";
import { containerdSocket, runningContainerd } from "../../host/containerd/supervise-containerd.ts";
import { openContainerRuntime } from "../../kubelet/runtime/container-runtime.ts";
import { readSettings } from "./settings.ts";

/** Milliseconds to import one archive: gigabytes take their time. */
const IMPORT_WITHIN = 30 * 60_000;
const KNOWN_TRIES = 100;
const KNOWN_WAIT = 20;

export async function runImages({ layout, action, subjects }: ImagesRun): Promise<void> {
  const socket = await runtimeSocket(layout);
  if (action === "import") {
    for (const file of subjects) await importArchive(socket, file);
    return;
  }
  const runtime = openContainerRuntime(socket);
  try {
    if (action === "list") {
      const { images } = await runtime.listImages({});
      const rows = images.flatMap(({ id, repoTags, repoDigests, size }) => {
        const names = repoTags.length > 0 ? repoTags : repoDigests;
        const short = id.replace("sha256:", "").slice(0, 12);
        return (names.length > 0 ? names : ["<none>"]).map((name) => [
          name,
          short,
          `${(size / 1e6).toFixed(1)} MB`,
        ]);
      });
      rows.sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
      process.stdout.write(table(["IMAGE", "ID", "SIZE"], rows));
      return;
    }
    for (const image of subjects) {
      const { image: found } = await runtime.imageStatus({ image: { image } });
      if (!found)
        throw new UsageError(`there is no image ${image} here: \`kybern images list\` shows what there is.`);
      await runtime.removeImage({ image: { image: found.id } });
      process.stdout.write(`${image} removed\n`);
    }
  } finally {
    runtime.close();
  }
}

async function importArchive(socket: string, file: string): Promise<void> {
  await access(file).catch(() => {
    throw new UsageError(`there is no file ${file} that can be read.`);
  });
  const words = ["--address", socket, "--namespace", "k8s.io", "images", "import", file];
  const said = await runCommand("ctr", words, { timeoutMs: IMPORT_WITHIN }).catch((error: unknown) => {
    if (!(error instanceof CommandError)) throw error;
    throw new UsageError(`${file} could not be imported: ${error.stderr.trim() || error.message}.`);
  });
  const names = importedNames(said);
  await known(socket, names);
  for (const name of names.length > 0 ? names : [file]) process.stdout.write(`${name} imported\n`);
}

/** From what `ctr` says: of version 1 and of version 2. */
export function importedNames(said: string): string[] {
  const names = said.split("\n").map((line) => /^unpacking (\S+) \(|^(\S+)\s+saved\b/.exec(line));
  return [...new Set(names.flatMap((found) => found?.[1] ?? found?.[2] ?? []))];
}

/** Until kubelets can see them: the part of containerd that they ask is told of images a moment later. */
async function known(socket: string, names: readonly string[]): Promise<void> {
  const runtime = openContainerRuntime(socket);
  try {
    for (const image of names) {
      for (let tries = 0; tries < KNOWN_TRIES; tries++) {
        if ((await runtime.imageStatus({ image: { image } })).image) break;
        await delay(KNOWN_WAIT);
      }
    }
  } finally {
    runtime.close();
  }
}

async function runtimeSocket(layout: Layout): Promise<string> {
  const given = (await readSettings(layout))?.flags["container-runtime-endpoint"];
  if (given !== undefined) return given.replace(/^unix:\/\//, "");
  if ((await runningContainerd(layout.containerd)) !== undefined) return containerdSocket(layout.containerd);
  throw new UsageError("no containerd runs here that could hold images: start it with `kybern up`.");
}
