// Loads the program, in the Node that kybern.js picked: the build, or in a checkout without one the source.
import { existsSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { Socket } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";

// In the user's own cache: Node's default is a folder below /tmp, where another user could put compiled code first.
const cache = process.env.XDG_CACHE_HOME || (homedir() && join(homedir(), ".cache"));
if (cache) enableCompileCache(join(cache, "kybern", "compile"));

// Set where the launcher could only start a child: whoever kills the launcher means the program.
const launcher = process.env.KYBERN_LAUNCHER;
delete process.env.KYBERN_LAUNCHER;
// Meant for this process alone, not for what it starts.
delete process.env.MALLOC_ARENA_MAX;
if (launcher) {
  const tie = new Socket({ fd: Number(launcher), readable: true, writable: false });
  tie.on("close", () => process.kill(process.pid, "SIGKILL"));
  tie.resume();
  tie.unref();
}

const build = new URL("../dist/kybern.js", import.meta.url);
await import(existsSync(build) ? build.href : new URL("../src/main/kybern.ts", import.meta.url).href);
