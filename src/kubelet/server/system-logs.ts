/** /logs/…: the files and folders below the machine's /var/log, as upstream's `enableSystemLogHandler` shows them. */
import type { FileHandle } from "node:fs/promises";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { LogFileError, openBelow } from "../logs/open-log.ts";
import type { KubeletServerOptions } from "./options.ts";
import { KubeletError, type KubeletRequest } from "./request.ts";

const NOT_FOUND = "404 page not found\n";
const GZIP = /\.gz$/;
/** What a browser would take for markup. */
const MARKUP: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

/** `parts`: those of the path behind /logs; the last is empty where the path ends with a slash. */
export async function systemLogs(
  { paths }: Pick<KubeletServerOptions, "paths">,
  request: KubeletRequest,
  parts: readonly string[],
): Promise<void> {
  if (paths.systemLogs === undefined) throw new KubeletError(405, "logs endpoint is disabled.\n");
  if (request.method !== "GET" && request.method !== "HEAD")
    throw new KubeletError(405, "405: Method Not Allowed");
  if (parts.some((part) => part === ".." || part.includes("/") || part.includes("\0"))) {
    throw new KubeletError(404, NOT_FOUND);
  }
  const file = await openBelow(join(paths.systemLogs, ...parts), paths.systemLogs).catch(refuse);
  try {
    const stats = await file.stat();
    const isFolder = parts.at(-1) === "";
    if (stats.isDirectory()) await (isFolder ? list(request, file) : redirect(request, `${name(request)}/`));
    else if (!stats.isFile()) throw new KubeletError(403, "403 Forbidden\n");
    else await (isFolder ? redirect(request, `../${name(request)}`) : show(request, file, stats));
  } finally {
    await file.close();
  }
}

function refuse(error: NodeJS.ErrnoException): never {
  if (error instanceof LogFileError) throw new KubeletError(403, "403 Forbidden\n");
  if (error.code === "ENOENT" || error.code === "ENOTDIR") throw new KubeletError(404, NOT_FOUND);
  throw error;
}

/** The last part of the path that is not empty, as it was sent. */
function name({ path }: KubeletRequest): string {
  return path.split("/").findLast((part) => part !== "") ?? "";
}

function redirect({ response }: KubeletRequest, location: string): void {
  response.writeHead(301, { location, "content-length": 0 }).end();
}

async function list(request: KubeletRequest, folder: FileHandle): Promise<void> {
  const entries = await readdir(`/proc/self/fd/${folder.fd}`, { withFileTypes: true });
  const names = entries.map((entry) => entry.name + (entry.isDirectory() ? "/" : "")).sort();
  const lines = names.map((each) => {
    const link = encodeURI(each).replaceAll("?", "%3F").replaceAll("#", "%23");
    // Else a colon would make a protocol of what is before it.
    return `<a href="${escaped(link.includes(":") ? `./${link}` : link)}">${escaped(each)}</a>\n`;
  });
  const head = '<!doctype html>\n<meta name="viewport" content="width=device-width">\n';
  request.send(200, "text/html; charset=utf-8", `${head}<pre>\n${lines.join("")}</pre>\n`);
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => MARKUP[character]!);
}

/** As much as the file has now: what is written meanwhile is for the next request. */
async function show(
  { path, method, response }: KubeletRequest,
  file: FileHandle,
  { size, mtime }: { size: number; mtime: Date },
): Promise<void> {
  response.writeHead(200, {
    "content-type": GZIP.test(path) ? "application/gzip" : "text/plain; charset=utf-8",
    "content-length": size,
    "last-modified": mtime.toUTCString(),
    "x-content-type-options": "nosniff",
  });
  if (method === "HEAD" || size === 0) {
    response.end();
    return;
  }
  await pipeline(file.createReadStream({ start: 0, end: size - 1, autoClose: false }), response);
}
