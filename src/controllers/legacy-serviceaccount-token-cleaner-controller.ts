/**
 * Takes token Secrets that were once made for every service account out of use, and deletes them a year later, where
 * nobody uses them (upstream: pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go). It looks once a
 * day, and only where the API server has kept track of their use for a year.
 */
import { ConfigMap } from "../api/core/config-map.ts";
import { Pod } from "../api/core/pods.ts";
import { Secret } from "../api/core/secret.ts";
import { ServiceAccount } from "../api/core/service-account.ts";
import { type PodShape, podReferences } from "../auth/authorization/node/pod-references.ts";
import type { Lister } from "../client/informer/object-store.ts";
import { isReason } from "../client/status.ts";
import type { WorkResult } from "../client/work-queue/work-queue.ts";
import { type ControllerContext, defineController, input } from "./runtime/controller.ts";

type Inputs = { accounts: ServiceAccount; secrets: Secret; pods: Pod };
type Listers = { readonly [N in keyof Inputs]: Lister<Inputs[N]> };

const TYPE = "kubernetes.io/service-account-token";
const LAST_USED = "kubernetes.io/legacy-token-last-used";
const INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since";
const TRACKING = "kube-apiserver-legacy-service-account-token-tracking";
const ALL = "secrets";
const DAY = 24 * 3_600_000;
/** Upstream's --legacy-service-account-token-clean-up-period. */
const UNUSED_MS = 365 * DAY;

export const legacyServiceAccountTokenCleaner = defineController<Inputs>({
  name: "legacy-serviceaccount-token-cleaner-controller",
  account: "legacy-service-account-token-cleaner",
  inputs: {
    accounts: input(ServiceAccount, () => []),
    secrets: input(Secret, () => [], { fieldSelector: `type=${TYPE}` }),
    pods: input(Pod, () => []),
  },
  start(context, listers) {
    context.again(ALL);
    return () => cleanUp(context, listers);
  },
});

async function cleanUp(context: ControllerContext, listers: Listers): Promise<WorkResult> {
  const { client, clock } = context;
  const now = clock.now();
  const since = await trackedSince(context);
  if (since === undefined || now < since + UNUSED_MS) return { after: DAY };
  for (const secret of listers.secrets.list()) {
    const { namespace = "", name = "", uid, resourceVersion } = secret.metadata;
    const secrets = client.resource(Secret, namespace);
    const fate = fateOf(secret, now, accountOf(secret, listers));
    if (fate === "keep" || isMounted(secret, listers.pods.list(namespace))) continue;
    try {
      if (fate === "delete") await secrets.delete(name, { preconditions: { resourceVersion } });
      else {
        const labels = { [INVALID_SINCE]: dayOf(now) };
        await secrets.patch(name, { metadata: { uid, labels } }, { type: "merge" });
      }
    } catch (error) {
      if (!isReason(error, "NotFound", "Conflict")) throw error;
    }
  }
  return { after: DAY };
}

/** From the day after the one that is written: its first hours may not have been tracked. */
async function trackedSince({ client }: ControllerContext): Promise<number | undefined> {
  try {
    const { data } = await client.resource(ConfigMap, "kube-system").get(TRACKING);
    const since = readDay(data?.since);
    return since === undefined ? undefined : since + DAY;
  } catch (error) {
    if (isReason(error, "NotFound")) return undefined;
    throw error;
  }
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function readDay(text = ""): number | undefined {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
}

function accountOf({ metadata }: Secret, { accounts }: Listers): ServiceAccount | undefined {
  const { namespace = "", annotations = {} } = metadata;
  const account = accounts.get(namespace, annotations["kubernetes.io/service-account.name"] ?? "");
  const uid = annotations["kubernetes.io/service-account.uid"];
  return !uid || uid === account?.metadata.uid ? account : undefined;
}

/** Only Secrets that their account names were made without being asked for. */
export function fateOf(
  { metadata }: Secret,
  now: number,
  account: ServiceAccount | undefined,
): "keep" | "invalidate" | "delete" {
  const { name, creationTimestamp = "", deletionTimestamp, labels = {} } = metadata;
  if (deletionTimestamp !== undefined || Date.parse(creationTimestamp) >= now - UNUSED_MS) return "keep";
  if (!account?.secrets?.some((reference) => reference.name === name)) return "keep";
  const firstDay = dayOf(now - UNUSED_MS);
  const lastUsed = labels[LAST_USED];
  if (lastUsed !== undefined && (readDay(lastUsed) === undefined || lastUsed >= firstDay)) return "keep";
  const invalidSince = labels[INVALID_SINCE] ?? "";
  if (readDay(invalidSince) === undefined) return "invalidate";
  return invalidSince >= firstDay ? "keep" : "delete";
}

function isMounted({ metadata }: Secret, pods: readonly Pod[]): boolean {
  const key = `secrets ${metadata.namespace}/${metadata.name}`;
  return pods.some((pod) => podReferences(pod as PodShape).includes(key));
}
