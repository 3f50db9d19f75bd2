import type { Client } from "../../src/client/client.ts";
import { keepReady } from "./pod-status.ts";

/** What the selector finds runs and is ready as soon as it is made, until the test leaves its block. */
export function runPods(client: Client, namespace: string, labelSelector: string): AsyncDisposable {
  const stopping = new AbortController();
  const running = keepReady(client, namespace, labelSelector, stopping.signal);
  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}
