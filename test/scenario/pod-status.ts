/** What a kubelet would say of pods, said by a test. */
import { Pod } from "../../src/api/core/pods.ts";
import type { Client } from "../../src/client/client.ts";

export async function setReady(client: Client, pod: Pod, ready: boolean, at = Date.now()): Promise<void> {
  const lastTransitionTime = new Date(at).toISOString();
  const status = {
    phase: "Running",
    conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime }],
  };
  const pods = client.resource(Pod, pod.metadata.namespace);
  await pods.patch(pod.metadata.name!, { status }, { type: "strategic", subresource: "status" });
}

export async function setPhase(client: Client, pod: Pod, phase: "Failed" | "Succeeded"): Promise<void> {
  const pods = client.resource(Pod, pod.metadata.namespace);
  await pods.patch(pod.metadata.name!, { status: { phase } }, { type: "merge", subresource: "status" });
}

/** Makes every pod that the selector finds ready as soon as it is made, until `signal` is aborted. */
export async function keepReady(
  client: Client,
  namespace: string,
  labelSelector: string,
  signal: AbortSignal,
): Promise<void> {
  const events = client.resource(Pod, namespace).watch({ labelSelector, resourceVersion: "0", signal });
  try {
    for await (const { type, object } of events) {
      if (type !== "ADDED") continue;
      await setReady(client, object, true).catch((error) => {
        if (error.reason !== "NotFound") throw error;
      });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
