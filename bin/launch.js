// Loads the program, in the Node that kybern.js picked: the build, or in a checkout without one the source.
import { existsSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// In the user's own cache: Node's default is a folder below /tmp, where another user could put compiled code first.
const cache = process.env.XDG_CACHE_HOME || (homedir() && join(homedir(), ".cache"));
if (cache) enableCompileCache(join(cache, "kybern", "compile"));

const build = new URL("../dist/kybern.js", import.meta.url);
await import(existsSync(build) ? build.href : new URL("../src/main/kybern.ts", import.meta.url).href);
