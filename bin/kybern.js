#!/usr/bin/env node
// The `kybern` command: picks a Node that is new enough and starts the program in it.
// Plain JavaScript on purpose: whatever Node the machine has must be able to read it.
import { fileURLToPath } from "node:url";
import { runNode } from "./node.js";

const launch = fileURLToPath(new URL("./launch.js", import.meta.url));
// A small young generation halves what the process holds after a burst, at no measurable cost in speed.
// Objects keep keys that users chose; without the accessor a "__proto__" among them is a key like any other.
const flags = ["--disable-proto=delete", "--max-semi-space-size=8", "--no-memory-pool"];
// Of what is freed outside of JavaScript, less is kept for threads that seldom need it.
const env = { MALLOC_ARENA_MAX: "2", ...process.env };
runNode([...flags, launch, ...process.argv.slice(2)], { tied: true, env });
