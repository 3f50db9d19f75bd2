import { readFile } from "node:fs/promises";
import type { Descriptions } from "../apiserver/api-server.ts";

/** The documentation of every field, made by the build; undefined in a checkout that was not built. */
export async function readDescriptions(): Promise<Descriptions | undefined> {
  for (const place of ["./openapi-descriptions.json", "../../dist/openapi-descriptions.json"]) {
    try {
      return JSON.parse(await readFile(new URL(place, import.meta.url), "utf8")) as Descriptions;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return undefined;
}
