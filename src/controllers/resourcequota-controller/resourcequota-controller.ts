/**
 * Says in every quota's status what it limits and how much of that is used. Admission charges what is created as it is
 * created; this controller begins each quota, gives back what goes, and puts right what was charged for requests that
 * failed in the end.
 *
 *   quota made, its limits changed ─┐
 *   object gone or smaller ─────────┼─▶ counted at once
 *   object made, status changed ────┴─▶ counted once things have settled
 *
 * Objects that are under way when the count is made are charged, but not there yet; a count may miss them until the
 * next. That is why everything that grows is looked at again a little later.
 */
import { CustomResourceDefinition } from "../../api/apiextensions/custom-resource-definition.ts";
import type { CountedKind } from "../../api/core/resource-quota/counted-kinds.ts";
import { ResourceQuota } from "../../api/core/resource-quota.ts";
import type { KubeObject } from "../../api/object.ts";
import { keyOf, splitKey } from "../../client/informer/object-store.ts";
import { isReason } from "../../client/status.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { countUsed, kindsOf, sameAmounts } from "./count-used.ts";
import { CountedObjects } from "./counted-objects.ts";

type Inputs = { quotas: ResourceQuota; definitions: CustomResourceDefinition };

/** Milliseconds after which what was charged has been stored, or never will be. */
const SETTLED = 1000;
/** Milliseconds that a limit stands which somebody wrote into a status (upstream: resyncPeriod). */
const RESYNC = 5 * 60_000;
/** Milliseconds until a count that lost to a charge is made again. */
const LOST = 20;
/** Stands for all quotas: kinds came or went. */
const ALL = "*";

export const resourceQuotaController = defineController<Inputs>({
  name: "resourcequota-controller",
  account: "resourcequota-controller",
  queue: "resourcequota_primary",
  workers: 5,
  inputs: {
    quotas: input(ResourceQuota, ({ key, now, was }) =>
      now && !(was && sameAmounts(now.spec?.hard, was.spec?.hard)) ? [key] : [],
    ),
    definitions: input(CustomResourceDefinition, ({ now }) => (now ? [ALL] : [])),
  },
  start,
});

function start({ client, clock, informers, again }: ControllerContext, listers: Listers<Inputs>) {
  const { quotas, definitions } = listers;
  const counted = new CountedObjects(informers, definitions, (kind, namespace, less) => {
    for (const quota of quotas.list(namespace)) {
      if (limits(quota, kind)) again(keyOf(quota), less ? 0 : SETTLED);
    }
  });
  informers.of(ResourceQuota).subscribe(({ key, now, was }) => {
    if (!now || !was) return;
    if (!sameAmounts(now.status?.used, was.status?.used)) again(key, SETTLED);
    else if (!sameAmounts(now.status?.hard, now.spec?.hard)) again(key, RESYNC);
  });

  return async (key: string) => {
    if (key === ALL) {
      for (const quota of quotas.list()) again(keyOf(quota));
      return undefined;
    }
    const { namespace, name } = splitKey(key);
    const quota = quotas.get(namespace, name);
    if (!quota || waits(quota, counted, () => again(key))) return undefined;
    const now = clock.now();
    const objects = (kind: CountedKind): KubeObject[] | undefined => {
      const informer = counted.of(kind);
      return informer?.hasSynced ? informer.lister.list(namespace) : undefined;
    };
    const { used, until } = countUsed(quota, objects, now);
    const hard = quota.spec?.hard ?? {};
    if (!sameAmounts(quota.status?.hard, hard) || !sameAmounts(quota.status?.used, used)) {
      try {
        await client.resource(ResourceQuota, namespace).updateStatus({ ...quota, status: { hard, used } });
      } catch (error) {
        if (isReason(error, "Conflict")) return { after: LOST };
        if (!isReason(error, "NotFound")) throw error;
      }
    }
    return until === undefined ? undefined : { after: until - now + 1 };
  };
}

function limits(quota: ResourceQuota, { group, plural }: CountedKind): boolean {
  return kindsOf(quota).some((kind) => kind.group === group && kind.plural === plural);
}

/** Calls `then` once more is known, where the picture of a kind that the quota counts is not whole yet. */
function waits(quota: ResourceQuota, counted: CountedObjects, then: () => void): boolean {
  const missing = kindsOf(quota)
    .map((kind) => counted.of(kind))
    .filter((informer) => informer !== undefined && !informer.hasSynced);
  if (missing.length === 0) return false;
  void Promise.all(missing.map((informer) => informer!.synced)).then(then);
  return true;
}
