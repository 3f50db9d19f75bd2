/** `kybern explain`: asks the API server for the pod and for what the scheduler decided about it. */
import { homedir } from "node:os";
import { join } from "node:path";
import { Pod } from "../api/core/pods.ts";
import { systemClock } from "../base/clock.ts";
import { UsageError } from "../cli/verb.ts";
import { type ExplainRun, explainText } from "../cli/verbs/explain.ts";
import { openClient } from "../client/client.ts";
import { readConnection } from "../client/kubeconfig/connection.ts";
import { isReason } from "../client/status.ts";
import { HTTPSTransport } from "../client/transports/https-transport.ts";
import { StatusError } from "../machinery/status/status-error.ts";
import { DECISIONS_PATH, type Explanation } from "../scheduler/decisions/explanation.ts";

export async function runExplain({ name, namespace: asked, kubeconfig }: ExplainRun): Promise<void> {
  const connection = await readConnection(
    kubeconfig ?? process.env.KUBECONFIG ?? join(homedir(), ".kube", "config"),
  ).catch((error: unknown) => {
    throw new UsageError(
      `the kubeconfig cannot be used: ${(error as Error).message}. Name another with --kubeconfig.`,
    );
  });
  const namespace = asked ?? connection.namespace;
  const client = openClient(new HTTPSTransport({ ...connection, clock: systemClock }));
  try {
    const path = `${DECISIONS_PATH}/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
    const [pod, known] = await Promise.all([
      orUndefined(client.resource(Pod, namespace).get(name)),
      orUndefined(client.request({ method: "GET", path })),
    ]);
    const explanation = known && (JSON.parse(new TextDecoder().decode(known.body)) as Explanation);
    process.stdout.write(explainText(`${namespace}/${name}`, pod, explanation, Date.now()));
  } catch (error) {
    if (error instanceof StatusError) throw new UsageError(error.message);
    throw error;
  } finally {
    await client.close();
  }
}

async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isReason(error, "NotFound")) return undefined;
    throw error;
  }
}
