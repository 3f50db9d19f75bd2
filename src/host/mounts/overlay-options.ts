import { dirname } from "node:path";

const LOWER = "lowerdir=";

/**
 * The options of an overlay with its lower directories told from the one that they are all in, which the mounting program
 * then has to be in. In full they may be more than the page that the kernel reads.
 */
export function fromSharedDirectory(options: readonly string[]): {
  options: readonly string[];
  cwd?: string;
} {
  const at = options.findIndex((option) => option.startsWith(LOWER));
  if (at < 0) return { options };
  const paths = options[at]!.slice(LOWER.length).split(":");
  // A colon of a name is written with a backslash before it: such names are left as they are.
  if (paths.some((path) => !path.startsWith("/") || path.includes("\\"))) return { options };
  let cwd = dirname(paths[0]!);
  while (!paths.every((path) => path.startsWith(below(cwd)))) cwd = dirname(cwd);
  const short = paths.map((path) => path.slice(below(cwd).length));
  return { options: options.with(at, `${LOWER}${short.join(":")}`), cwd };
}

function below(directory: string): string {
  return directory === "/" ? directory : `${directory}/`;
}
