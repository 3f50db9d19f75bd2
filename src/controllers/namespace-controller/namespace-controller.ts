/**
 * Empties a namespace that is being deleted and then lets it go:
 *
 *   deleted ──▶ pods, then the rest ──▶ nothing left ──▶ finalize: `kubernetes` leaves spec.finalizers ──▶ gone
 *                 ▲        │
 *                 └────────┴── some stay (finalizers, pods that end slowly): the status says which; again when they move
 */
import { Namespace } from "../../api/core/namespace.ts";
import type { Client } from "../../client/client.ts";
import { type Discovery, discover } from "../../client/discovery.ts";
import { isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { type ControllerContext, defineController, input } from "../runtime/controller.ts";
import { AwaitedContent } from "./await-content.ts";
import { namespaceConditions } from "./conditions.ts";
import { deleteContent, type Remains } from "./delete-content.ts";

const FINALIZER = "kubernetes";
/** What moves meanwhile is looked at together. */
const SOON = 100;
/** For what cannot be watched: as upstream waits for content with finalizers. */
const UNWATCHED = 8000;

export const namespaceController = defineController<{ namespaces: Namespace }>({
  name: "namespace-controller",
  account: "namespace-controller",
  workers: 10,
  inputs: {
    namespaces: input(Namespace, ({ now, was }) => {
      const { name, deletionTimestamp } = (now ?? was)!.metadata;
      // Of one that is gone, what was followed of it is let go.
      return deletionTimestamp ? [name!] : [];
    }),
  },
  start(context, { namespaces }) {
    const { client, again, signal } = context;
    const moved = (name: string, when: "now" | "soon"): void => again(name, when === "now" ? 0 : SOON);
    const awaited = new AwaitedContent({ ...context, moved });
    signal.addEventListener("abort", () => void awaited.stop(), { once: true });
    return async (name) => {
      const namespace = namespaces.get("", name);
      const finalizers = namespace?.spec?.finalizers ?? [];
      if (!namespace?.metadata.deletionTimestamp || !finalizers.includes(FINALIZER)) {
        awaited.follow(name, []);
        return undefined;
      }
      const remains = await empty(context, namespace);
      if (signal.aborted) return undefined;
      awaited.follow(name, remains);
      if (remains.length > 0) return nextLook(remains);
      await finalize(client, name);
      return undefined;
    };
  },
});

function nextLook(remains: readonly Remains[]): WorkResult {
  return remains.every(({ kind }) => kind.verbs.includes("watch")) ? undefined : { after: UNWATCHED };
}

/** Returns what stays for now; throws what stands in the way beyond that, once the status tells it. */
async function empty({ client, clock }: ControllerContext, namespace: Namespace): Promise<Remains[]> {
  const name = namespace.metadata.name!;
  const discovery: Discovery | Error = await discover(client).catch((error: Error) => error);
  const kinds = discovery instanceof Error ? [] : discovery.resources;
  const { remains, errors } = await deleteContent(client, name, kinds);
  await tell(client, name, { discovery, remains, errors }, formatTime(clock.now()));
  if (discovery instanceof Error) throw discovery;
  if (errors.length > 0) throw errors[0];
  if (discovery.failed.length > 0) throw new Error("the complete list of server APIs is not known");
  return remains;
}

/** Writes the conditions where they changed, against the newest status. */
async function tell(
  client: Client,
  name: string,
  findings: Parameters<typeof namespaceConditions>[1],
  now: string,
): Promise<void> {
  const namespaces = client.resource(Namespace);
  for (let attempt = 1; ; attempt++) {
    try {
      const namespace = await namespaces.get(name);
      const were = namespace.status?.conditions ?? [];
      const conditions = namespaceConditions(were, findings, now);
      if (conditions === were) return;
      const status = { ...namespace.status, phase: "Terminating" as const, conditions: [...conditions] };
      await namespaces.updateStatus({ ...namespace, status });
      return;
    } catch (error) {
      if (isReason(error, "NotFound")) return;
      if (!isReason(error, "Conflict") || attempt === 5) throw error;
    }
  }
}

async function finalize(client: Client, name: string): Promise<void> {
  const namespaces = client.resource(Namespace);
  for (let attempt = 1; ; attempt++) {
    try {
      const namespace = await namespaces.get(name);
      const left = (namespace.spec?.finalizers ?? []).filter((finalizer) => finalizer !== FINALIZER);
      const spec = { ...namespace.spec, finalizers: left };
      await namespaces.update({ ...namespace, spec }, { subresource: "finalize" });
      return;
    } catch (error) {
      if (isReason(error, "NotFound")) return;
      if (!isReason(error, "Conflict") || attempt === 5) throw error;
    }
  }
}
