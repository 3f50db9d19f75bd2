/**
 * How long a cluster inside a test takes until its first request is answered, controllers on: the claim is 150 ms.
 *
 *     node bench/testing-start.ts [rounds]
 *
 * Each round is a process of its own, so that nothing is warm but the operating system's files. Loading the modules is
 * told beside it: a test runner pays it once a file.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const ROUND = `
  const before = performance.now();
  const { startCluster, Namespace } = await import(${JSON.stringify(new URL("../src/testing/index.ts", import.meta.url).href)});
  const loaded = performance.now();
  const cluster = await startCluster();
  const { items } = await cluster.client.resource(Namespace).list();
  const answered = performance.now();
  if (items.length !== 4) throw new Error("not the namespaces that there should be");
  await cluster.stop();
  const second = performance.now();
  await using again = await startCluster();
  await again.client.resource(Namespace).list();
  console.log(JSON.stringify([loaded - before, answered - loaded, performance.now() - second]));
`;

const rounds = Number(process.argv[2] ?? 10);
const cache = join(import.meta.dirname, "../node_modules/.cache/compile");
const results = Array.from({ length: rounds }, () => {
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  const text = execFileSync(process.execPath, ["--input-type=module", "-e", ROUND], {
    env,
    encoding: "utf8",
  });
  return JSON.parse(text) as [number, number, number];
});

function told(what: string, at: 0 | 1 | 2): void {
  const sorted = results.map((times) => times[at]).sort((a, b) => a - b);
  const [median, slowest] = [sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!];
  console.log(`${what}: median ${median.toFixed(1)} ms, slowest ${slowest.toFixed(1)} ms of ${rounds}`);
}

told("modules loaded", 0);
told("startCluster to first answer", 1);
told("the same again in one process", 2);
