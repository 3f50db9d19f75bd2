import { matchesScopes } from "../api/core/resource-quota/scopes.ts";
import { type Usage, unspecified, usageOf } from "../api/core/resource-quota/usage.ts";
import { ResourceQuota } from "../api/core/resource-quota.ts";
import type { Ports } from "../api/ports.ts";
import type { PodSpec } from "../api/schema/core.v1.generated.ts";
import { Quantity } from "../machinery/quantity/quantity.ts";
import { StatusError } from "../machinery/status/status-error.ts";
import { type AdmissionRequest, defineAdmission } from "./plugin.ts";
import { refused } from "./refusal.ts";

const UPDATES_COUNT = ["services", "persistentvolumeclaims"];

/**
 * Charges what a request uses to the quotas of its namespace before it is stored. The charge is a compare and swap of
 * the quota's status, so that requests at the same time cannot together overstep it. What is charged for a request that
 * fails later, and what deletes give back, the quota controller puts right.
 */
export const resourceQuota = defineAdmission({
  name: "ResourceQuota",
  summary: "Refuses what would exceed a ResourceQuota, and charges the rest.",
  on: [
    ["*", ["CREATE"]],
    ["services", ["UPDATE"]],
    ["persistentvolumeclaims", ["UPDATE"]],
    ["pods/resize", ["UPDATE"]],
  ],
  start: (ports) => ({
    validate(request) {
      if (request.namespace === "" || !request.object) return;
      const charges: [ResourceQuota, Usage][] = [];
      let usage: Usage | undefined;
      for (const quota of ports.reader.list(ResourceQuota, request.namespace)) {
        usage ??= growth(request);
        const charge = chargeOf(request, quota, usage);
        if (charge) charges.push([quota, charge]);
      }
      if (charges.length === 0) return;
      for (const [quota, charge] of charges) check(request, quota, charge);
      if (!request.dryRun) return chargeAll(ports, request, charges);
    },
  }),
});

/** What the request uses more than before; only what grows is charged. */
function growth({ resource, object, old, operation, subresource }: AdmissionRequest): Usage {
  const now = usageOf(resource, object!);
  const counts = UPDATES_COUNT.includes(resource.plural) || subresource === "resize";
  if (operation !== "UPDATE" || !old || !counts) return now;
  const before = usageOf(resource, old);
  const grown: Usage = new Map();
  for (const [name, value] of now) {
    const was = before.get(name);
    const more = was ? value.sub(was) : value;
    if (more.sign() > 0) grown.set(name, more);
  }
  return grown;
}

/** What of the usage the quota limits; undefined where it is not concerned. */
function chargeOf(request: AdmissionRequest, quota: ResourceQuota, usage: Usage): Usage | undefined {
  const { resource, object } = request;
  if (!matchesScopes(quota, resource, object!)) return undefined;
  const hard = quota.status?.hard;
  const limited = Object.keys(quota.spec?.hard ?? {});
  if (resource.group === "" && resource.plural === "pods") {
    const problem = unspecified((object as unknown as { spec: PodSpec }).spec, limited);
    if (problem) throw refused(request, `failed quota: ${quota.metadata.name}: ${problem}`);
  }
  const charge: Usage = new Map();
  for (const name of limited) {
    const value = usage.get(name);
    if (value && value.sign() !== 0) charge.set(name, value);
  }
  if (charge.size === 0) return undefined;
  const unknown = [...charge.keys()].filter(
    (name) => hard?.[name] === undefined || used(quota, name) === undefined,
  );
  if (unknown.length > 0) {
    const names = unknown.sort().join(",");
    throw refused(request, `status unknown for quota: ${quota.metadata.name}, resources: ${names}`);
  }
  return charge;
}

function used(quota: ResourceQuota, name: string): string | undefined {
  return quota.status?.used?.[name];
}

function check(request: AdmissionRequest, quota: ResourceQuota, charge: Usage): void {
  const exceeded = [...charge]
    .filter(
      ([name, more]) =>
        total(quota, name, more).compare(Quantity.parse(quota.status?.hard?.[name] ?? "0")) > 0,
    )
    .map(([name]) => name)
    .sort();
  if (exceeded.length === 0) return;
  const print = (value: (name: string) => unknown) =>
    exceeded.map((name) => `${name}=${value(name)}`).join(",");
  throw refused(
    request,
    `exceeded quota: ${quota.metadata.name}, requested: ${print((name) => charge.get(name))}, used: ${print((name) => used(quota, name) ?? "0")}, limited: ${print((name) => quota.status?.hard?.[name])}`,
  );
}

function total(quota: ResourceQuota, name: string, more: Quantity): Quantity {
  return Quantity.parse(used(quota, name) ?? "0").add(more);
}

async function chargeAll(
  ports: Ports,
  request: AdmissionRequest,
  charges: readonly [ResourceQuota, Usage][],
): Promise<void> {
  const done: [ResourceQuota, Usage][] = [];
  try {
    for (const [quota, charge] of charges) {
      await writeUsed(ports, quota, charge, (copy) => check(request, copy, charge));
      done.push([quota, charge]);
    }
  } catch (error) {
    for (const [quota, charge] of done) {
      const back: Usage = new Map([...charge].map(([name, value]) => [name, value.neg()]));
      await writeUsed(ports, quota, back);
    }
    throw error;
  }
}

async function writeUsed(
  { writer }: Ports,
  { metadata }: ResourceQuota,
  charge: Usage,
  allowed?: (copy: ResourceQuota) => void,
): Promise<void> {
  try {
    await writer.update(
      ResourceQuota,
      metadata.namespace ?? "",
      metadata.name ?? "",
      (copy) => {
        allowed?.(copy);
        const now = [...charge].map(([name, more]) => [name, total(copy, name, more).toString()]);
        copy.status = { ...copy.status, used: { ...copy.status?.used, ...Object.fromEntries(now) } };
      },
      { subresource: "status" },
    );
  } catch (error) {
    // A quota that is gone limits nothing any more.
    if (!(error instanceof StatusError && error.reason === "NotFound")) throw error;
  }
}
