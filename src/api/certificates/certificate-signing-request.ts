import { nameIsPathSegment } from "../../machinery/names/names.ts";
import { humanDuration } from "../../machinery/time/duration.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { take } from "../core/take.ts";
import { defineResource, type RequestContext } from "../resource.ts";
import type {
  CertificateSigningRequestCondition,
  CertificateSigningRequest as CertificateSigningRequestType,
} from "../schema/certificates.v1.generated.ts";
import {
  validateApproval,
  validateCertificateSigningRequest,
  validateSigned,
} from "./validate-certificate-signing-request.ts";

export type CertificateSigningRequest = CertificateSigningRequestType;

/** Asks a signer for an X.509 certificate. */
export const CertificateSigningRequest = defineResource<CertificateSigningRequest>({
  group: "certificates.k8s.io",
  version: "v1",
  kind: "CertificateSigningRequest",
  plural: "certificatesigningrequests",
  scope: "Cluster",
  shortNames: ["csr"],
  definition: "certificates.v1.CertificateSigningRequest",
  validateName: nameIsPathSegment,
  prepareForCreate,
  prepareForUpdate(object, old) {
    take(object, old, "spec");
    take(object, old, "status");
  },
  validate: validateCertificateSigningRequest,
  // What the main endpoint may change is metadata alone, so an update has nothing of its own to check.
  validateUpdate: () => [],
  validatesAll: true,
  subresources: {
    approval: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare: prepareForApproval,
      validate: validateApproval,
      resets: ["spec", "status.certificate"],
    },
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare: prepareForStatus,
      validate: validateSigned,
      resets: ["spec"],
    },
  },
  resets: ["spec", "status"],
  fields: { "spec.signerName": ({ spec }) => spec.signerName },
  columns: [
    nameColumn,
    ageColumn,
    { name: "SignerName", type: "string", cell: ({ spec }) => spec.signerName || "<none>" },
    { name: "Requestor", type: "string", cell: ({ spec }) => spec.username ?? "" },
    { name: "RequestedDuration", type: "string", cell: ({ spec }) => durationCell(spec.expirationSeconds) },
    { name: "Condition", type: "string", cell: conditionCell },
  ],
});

function durationCell(seconds: number | undefined): string {
  return seconds === undefined ? "<none>" : humanDuration(seconds * 1000);
}

function conditionCell({ status }: CertificateSigningRequest): string {
  const has = (type: string) => (status?.conditions ?? []).some((condition) => condition.type === type);
  const decided = has("Denied") ? "Denied" : has("Approved") ? "Approved" : "Pending";
  const failed = has("Failed") ? ",Failed" : "";
  return decided + failed + (status?.certificate ? ",Issued" : "");
}

/** Who asks is what the server knows, whatever the client wrote. */
function prepareForCreate(object: CertificateSigningRequest, { user }: RequestContext): void {
  const { spec } = object;
  spec.username = user.name;
  if (user.uid) spec.uid = user.uid;
  else delete spec.uid;
  if (user.groups.length > 0) spec.groups = [...user.groups];
  else delete spec.groups;
  delete spec.extra;
  if (user.extra) {
    const extra = Object.entries(user.extra).map(([key, values]): [string, string[]] => [key, [...values]]);
    spec.extra = Object.fromEntries(extra);
  }
  object.status = {};
}

function prepareForApproval(
  object: CertificateSigningRequest,
  old: CertificateSigningRequest,
  { now }: RequestContext,
): void {
  take(object, old, "spec");
  const conditions = object.status?.conditions;
  object.status = { ...old.status };
  delete object.status.conditions;
  if (conditions) object.status.conditions = conditions;
  stampConditions(object, old, now);
}

const DECIDED = new Set(["Approved", "Denied"]);

/** Signers may not approve: such conditions stay as they are. */
function prepareForStatus(
  object: CertificateSigningRequest,
  old: CertificateSigningRequest,
  { now }: RequestContext,
): void {
  take(object, old, "spec");
  object.status ??= {};
  const given = (object.status.conditions ?? []).filter(({ type }) => !DECIDED.has(type));
  const decided = (old.status?.conditions ?? []).filter(({ type }) => DECIDED.has(type));
  if (given.length + decided.length > 0) object.status.conditions = [...decided, ...given];
  else delete object.status.conditions;
  stampConditions(object, old, now);
}

function stampConditions(
  object: CertificateSigningRequest,
  old: CertificateSigningRequest,
  now: string,
): void {
  const conditions = object.status?.conditions;
  if (!conditions) return;
  object.status!.conditions = conditions.map((given) => {
    const condition: CertificateSigningRequestCondition = { ...given };
    condition.lastUpdateTime ??= now;
    if (condition.lastTransitionTime === undefined) {
      const same = old.status?.conditions?.find(
        ({ type, status }) => type === given.type && status === given.status,
      );
      condition.lastTransitionTime = same?.lastTransitionTime ?? now;
    }
    return condition;
  });
}
