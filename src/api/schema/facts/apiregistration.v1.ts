import type { Facts } from "../facts.ts";

export const apiregistrationV1: Facts = {
  id: "apiregistration.v1",
  group: "apiregistration.k8s.io",
  messages: `
  APIService@: 1 metadata, 2 spec, 3 status
  APIServiceCondition: 1 type, 2 status, 3 lastTransitionTime, 4 reason, 5 message
  APIServiceList@: 1 metadata, 2 items
  APIServiceSpec: 1 service, 2 group, 3 version, 4 insecureSkipTLSVerify, 5 caBundle,
    7 groupPriorityMinimum, 8 versionPriority
  APIServiceStatus: 1 conditions
  ServiceReference: 1 namespace, 2 name, 3 port
  `,
  merging: `
  APIServiceSpec: caBundle atomic
  APIServiceStatus: conditions map(type) merge(type)
  `,
  pointers: `
  ServiceReference: port
  `,
};
