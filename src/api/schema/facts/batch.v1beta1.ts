import type { Facts } from "../facts.ts";

export const batchV1beta1: Facts = {
  id: "batch.v1beta1",
  group: "batch",
  unserved: true,
  messages: `
  CronJob@ = batch.v1
  CronJobList@ = batch.v1
  CronJobSpec = batch.v1
  CronJobStatus = batch.v1
  JobTemplateSpec: 1 metadata meta.v1.ObjectMeta, 2 spec batch.v1.JobSpec
  `,
};
