import { CronJob } from "./cron-job.ts";
import { Job } from "./job.ts";

export { CronJob, Job };

export const batchResources = [CronJob, Job];
