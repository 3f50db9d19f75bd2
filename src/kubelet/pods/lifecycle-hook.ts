/** Runs what a container wants done right after its start, or before its end. */
import type { Container, LifecycleHandler } from "../../api/schema/core.v1.generated.ts";
import { askHTTP } from "../probes/ask-http.ts";
import { portNumber } from "../probes/container-port.ts";
import type { PodContext } from "./pod-context.ts";

export interface HookPlace {
  container: Container;
  containerID: string;
  podIP: string;
}

/** As upstream waits for an answer. */
const HTTP_TIMEOUT = 30_000;

export async function runHook(
  { runtime, clock }: Pick<PodContext, "runtime" | "clock">,
  { container, containerID, podIP }: HookPlace,
  { exec, httpGet, sleep }: LifecycleHandler,
): Promise<void> {
  if (exec) {
    const command = exec.command ?? [];
    const { exitCode, stdout, stderr } = await runtime.execSync(
      { containerId: containerID, cmd: command },
      0,
    );
    if (exitCode === 0) return;
    const said = Buffer.concat([stdout, stderr]).toString();
    throw new Error(`command '${command.join(" ")}' exited with ${exitCode}: ${said}`);
  }
  if (httpGet) {
    const { host = "", path = "/", scheme = "HTTP", httpHeaders = [] } = httpGet;
    const port = portNumber(httpGet.port, container);
    await askHTTP({ host: host || podIP, port, path, scheme, headers: httpHeaders, timeoutMs: HTTP_TIMEOUT });
    return;
  }
  if (sleep) await new Promise<void>((resolve) => clock.setTimer(sleep.seconds * 1000, resolve));
}
