/**
 * Files that containers of a pod wrote into its volumes for the environment of others. What wrote them may go on changing
 * them, so nothing outside of the volume is ever reached, and no link is followed.
 */
import { open } from "node:fs/promises";
import type { Container } from "../../api/schema/core.v1.generated.ts";
import { openBeneath, pathOfHandle } from "../../host/mounts/open-beneath.ts";
import { PodError, type PodVolumes } from "../ports.ts";
import { envFileValue } from "./config/env-file.ts";

/** A file of this size is no list of variables. */
const LARGEST = 1 << 20;
const LONGEST_KEY = 128;

export type EnvFileKeys = (volume: string, path: string, key: string) => string | undefined;

/**
 * Reads the files that the container's variables are in. What it returns gives their values: undefined where the file or
 * the variable is not there. Both throw PodError.
 */
export async function readEnvFiles(
  { env = [] }: Container,
  volumes: Pick<PodVolumes, "directoryOf">,
): Promise<EnvFileKeys> {
  const texts = new Map<string, string | undefined>();
  for (const { valueFrom } of env) {
    if (!valueFrom?.fileKeyRef) continue;
    const { volumeName, path, key } = valueFrom.fileKeyRef;
    if (key.length > LONGEST_KEY) {
      throw failure(`environment variable key exceeds maximum length of ${LONGEST_KEY} characters: "${key}"`);
    }
    const file = nameOf(volumeName, path);
    if (texts.has(file)) continue;
    const directory = volumes.directoryOf(volumeName);
    if (directory === undefined) {
      throw failure(`cannot find the volume "${volumeName}" referenced by FileKeyRef`);
    }
    texts.set(file, await readText(directory, path));
  }
  return (volume, path, key) => {
    const text = texts.get(nameOf(volume, path));
    try {
      return text === undefined ? undefined : envFileValue(text, key);
    } catch (error) {
      throw failure(`couldn't parse env file "${path}": ${(error as Error).message}`);
    }
  };
}

function nameOf(volume: string, path: string): string {
  return `${volume}/${path}`;
}

async function readText(directory: string, path: string): Promise<string | undefined> {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  const refuse = (why: string): PodError => failure(`couldn't read env file "${path}": ${why}`);
  const found = await openBeneath(directory, parts).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw refuse(error.message);
  });
  if (!found) return undefined;
  try {
    if (!found.stats.isFile()) throw refuse("it is no regular file");
    if (found.stats.size > LARGEST) throw refuse(`it is larger than ${LARGEST} bytes`);
    return await readStart(pathOfHandle(found.handle));
  } finally {
    await found.handle.close();
  }
}

/** No more than it may have, though it grows meanwhile. */
async function readStart(path: string): Promise<string> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(LARGEST);
    let length = 0;
    for (let read = 1; read > 0 && length < LARGEST; length += read) {
      ({ bytesRead: read } = await file.read(buffer, length, LARGEST - length));
    }
    return buffer.toString("utf8", 0, length);
  } finally {
    await file.close();
  }
}

function failure(message: string): PodError {
  return new PodError("CreateContainerConfigError", message);
}
