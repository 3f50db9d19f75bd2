#!/usr/bin/env node
// The `kybern` command: picks a Node that is new enough and starts the program in it.
// Plain JavaScript on purpose: whatever Node the machine has must be able to read it.
import { fileURLToPath } from "node:url";
import { runNode } from "./node.js";

const launch = fileURLToPath(new URL("./launch.js", import.meta.url));
// Objects keep keys that users chose; without the accessor a "__proto__" among them is a key like any other.
runNode(["--disable-proto=delete", launch, ...process.argv.slice(2)], { tied: true });
