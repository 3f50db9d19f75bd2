/** The paths that tell what the kubelet knows: pods, statistics, figures, health, configuration. */
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { ContainerState } from "../runtime/cri/shared.ts";
import type { KubeletServerOptions } from "./options.ts";
import { KubeletError, type KubeletRequest } from "./request.ts";

type Parts = Pick<KubeletServerOptions, "pods" | "runtime" | "documents">;
type Answer = (request: KubeletRequest, parts: Parts) => void | Promise<void>;

/** As Prometheus wants it. */
const FIGURES = "text/plain; version=0.0.4; charset=utf-8";

function figures(read: (documents: Parts["documents"]) => string | Promise<string>): Answer {
  return async (request, { documents }) => request.send(200, FIGURES, await read(documents));
}

const DOCUMENTS: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ["/pods", (request, { pods }) => request.json(podList(pods.list()))],
  ["/runningpods", async (request, { runtime }) => request.json(podList(await runningPods(runtime)))],
  ["/stats/summary", summary],
  ["/metrics", figures((documents) => documents.metrics())],
  ["/metrics/cadvisor", figures((documents) => documents.cadvisorMetrics())],
  ["/metrics/resource", figures((documents) => documents.resourceMetrics())],
  ["/metrics/probes", figures((documents) => documents.probeMetrics())],
  ["/configz", (request, { documents }) => request.json({ kubeletconfig: documents.configuration() })],
  ["/healthz", health],
  ["/healthz/ping", (request) => request.text("ok")],
  ["/healthz/log", (request) => request.text("ok")],
  ["/healthz/syncloop", health],
]);

/** Undefined where the path is none of these. */
export function documentAt(path: string): Answer | undefined {
  return DOCUMENTS.get(path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path);
}

function podList(items: readonly object[]): object {
  return { kind: "PodList", apiVersion: "v1", metadata: {}, items };
}

async function summary(request: KubeletRequest, { documents }: Parts): Promise<void> {
  const only = request.query.get("only_cpu_and_memory");
  request.json(await documents.summary(only === "true" || only === "1"));
}

function health(request: KubeletRequest, { documents }: Parts): void {
  const stuck = documents.stuck?.();
  if (stuck !== undefined) {
    throw new KubeletError(500, `[+]ping ok\n[+]log ok\n[-]syncloop failed: ${stuck}\nhealthz check failed`);
  }
  request.text("ok");
}

/** What the runtime runs, whatever the kubelet thinks of it. */
async function runningPods(runtime: Parts["runtime"]): Promise<Pick<Pod, "metadata" | "spec">[]> {
  const state = { state: ContainerState.CONTAINER_RUNNING };
  const [{ items }, { containers }] = await Promise.all([
    runtime.listPodSandbox({}),
    runtime.listContainers({ filter: { state } }),
  ]);
  const pods = new Map<string, Pick<Pod, "metadata" | "spec">>();
  for (const { id, metadata } of items) {
    const { name, namespace, uid } = metadata ?? { name: "", namespace: "", uid: "" };
    pods.set(id, { metadata: { name, namespace, uid }, spec: { containers: [] } });
  }
  for (const { podSandboxId, metadata, image, imageRef } of containers) {
    const pod = pods.get(podSandboxId);
    pod?.spec?.containers.push({ name: metadata?.name ?? "", image: imageRef || image?.image });
  }
  return [...pods.values()].filter(({ spec }) => spec && spec.containers.length > 0);
}
