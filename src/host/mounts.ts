/** What is mounted. */
import { readFile } from "node:fs/promises";
import { runCommand } from "./command.ts";

/** The mount points at and below the directories, those that were mounted last first. */
export async function mountsBelow(directories: readonly string[]): Promise<string[]> {
  const text = await readFile("/proc/self/mounts", "utf8").catch(() => "");
  const points = text.split("\n").flatMap((line) => {
    const [, point] = line.split(" ");
    return point === undefined ? [] : [unescaped(point)];
  });
  return points
    .filter((point) =>
      directories.some((directory) => point === directory || point.startsWith(`${directory}/`)),
    )
    .reverse();
}

/** Detaches all of them, those in use too: they end when their last user does. Any number of times. */
export async function unmountBelow(directories: readonly string[]): Promise<void> {
  for (let last = Number.POSITIVE_INFINITY; ; ) {
    const points = await mountsBelow(directories);
    if (points.length === 0) return;
    // A mount over a mount shows after the upper one is gone, so it is looked again, as long as that helps.
    if (points.length >= last) throw new Error(`cannot unmount ${points.join(", ")}`);
    last = points.length;
    await runCommand("umount", ["--lazy", "--no-mtab", ...new Set(points)]).catch(() => {});
  }
}

/** Blanks and the like are written as octal numbers. */
function unescaped(point: string): string {
  return point.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
