/** Deletes jobs, and what is theirs, once they have been finished for as long as their ttlSecondsAfterFinished. */
import { Job } from "../api/batch/job.ts";
import { splitKey } from "../client/informer/object-store.ts";
import { isReason } from "../client/status.ts";
import { defineController, input } from "./runtime/controller.ts";

/** When the job's time is over, in milliseconds since 1970; undefined of jobs that stay. */
export function expiryOf({ metadata, spec, status }: Job): number | undefined {
  const ttl = spec?.ttlSecondsAfterFinished;
  if (ttl === undefined || metadata.deletionTimestamp !== undefined) return undefined;
  const finished = status?.conditions?.find(
    ({ type, status: is }) => is === "True" && (type === "Complete" || type === "Failed"),
  );
  return finished?.lastTransitionTime ? Date.parse(finished.lastTransitionTime) + ttl * 1000 : undefined;
}

export const ttlAfterFinishedController = defineController<{ jobs: Job }>({
  name: "ttl-after-finished-controller",
  account: "ttl-after-finished-controller",
  queue: "ttl_jobs_to_delete",
  workers: 5,
  inputs: { jobs: input(Job, ({ key, now }) => (now && expiryOf(now) !== undefined ? [key] : [])) },
  start:
    ({ client, clock }, { jobs }) =>
    async (key) => {
      const { namespace, name } = splitKey(key);
      const job = jobs.get(namespace, name);
      const expiry = job && expiryOf(job);
      if (!job || expiry === undefined) return undefined;
      if (expiry > clock.now()) return { after: expiry - clock.now() };
      const inNamespace = client.resource(Job, namespace);
      try {
        // The time may have been made longer just now.
        const fresh = await inNamespace.get(name);
        const current = fresh.metadata.uid === job.metadata.uid ? expiryOf(fresh) : undefined;
        if (current === undefined) return undefined;
        if (current > clock.now()) return { after: current - clock.now() };
        const { uid, resourceVersion } = fresh.metadata;
        const preconditions = { uid, resourceVersion };
        await inNamespace.delete(name, { propagationPolicy: "Foreground", preconditions });
      } catch (error) {
        if (!isReason(error, "NotFound")) throw error;
      }
      return undefined;
    },
});
