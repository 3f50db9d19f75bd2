/** /run/{namespace}/{pod}/{container}?cmd=…: runs a command in a container and answers with what it wrote. */
import type { KubeletServerOptions } from "./options.ts";
import { KubeletError, type KubeletRequest } from "./request.ts";
import { runningContainer } from "./streams.ts";

/** Seconds that the command may take. */
const LONGEST_RUN = 120;

export async function run(
  parts: Pick<KubeletServerOptions, "pods" | "runtime">,
  request: KubeletRequest,
  segments: readonly string[],
): Promise<void> {
  if (request.method !== "POST") throw new KubeletError(405, "405: Method Not Allowed");
  const containerId = runningContainer(parts, segments);
  const cmd = (request.query.get("cmd") ?? "").split(" ");
  const { stdout, stderr } = await parts.runtime
    .execSync({ containerId, cmd, timeout: LONGEST_RUN }, (LONGEST_RUN + 5) * 1000)
    .catch((error: Error) => {
      throw new KubeletError(500, error.message);
    });
  request.text(Buffer.concat([stdout, stderr]).toString());
}
