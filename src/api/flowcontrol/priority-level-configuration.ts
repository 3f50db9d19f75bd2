import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { take } from "../core/take.ts";
import { defineResource } from "../resource.ts";
import type {
  LimitedPriorityLevelConfiguration,
  PriorityLevelConfiguration as PriorityLevelConfigurationType,
  QueuingConfiguration,
} from "../schema/flowcontrol.v1.generated.ts";

export type PriorityLevelConfiguration = PriorityLevelConfigurationType;

const DEFAULT_SHARES = 30;
const MOST_QUEUES = 10_000_000;

/** How many requests of a level are served at once, and what becomes of the rest. */
export const PriorityLevelConfiguration = defineResource<PriorityLevelConfiguration>({
  group: "flowcontrol.apiserver.k8s.io",
  version: "v1",
  kind: "PriorityLevelConfiguration",
  plural: "prioritylevelconfigurations",
  scope: "Cluster",
  definition: "flowcontrol.v1.PriorityLevelConfiguration",
  validateName: nameIsDNSSubdomain,
  defaults,
  prepareForCreate(object) {
    object.status = {};
  },
  prepareForUpdate: (object, old) => take(object, old, "status"),
  validate,
  generationOf: ({ spec }) => spec,
  subresources: {
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare(object, old) {
        take(object, old, "spec");
        const { managedFields, resourceVersion } = object.metadata;
        object.metadata = { ...old.metadata, managedFields, resourceVersion };
      },
      resets: ["spec", "metadata"],
    },
  },
  columns: [
    nameColumn,
    { name: "Type", type: "string", cell: ({ spec }) => spec?.type ?? "" },
    { name: "NominalConcurrencyShares", type: "string", cell: sharesCell },
    { name: "Queues", type: "string", cell: (level) => queuingCell(level, "queues") },
    { name: "HandSize", type: "string", cell: (level) => queuingCell(level, "handSize") },
    { name: "QueueLengthLimit", type: "string", cell: (level) => queuingCell(level, "queueLengthLimit") },
    ageColumn,
  ],
});

function sharesCell({ spec }: PriorityLevelConfiguration): string | number {
  return (spec?.limited ?? spec?.exempt)?.nominalConcurrencyShares ?? "<none>";
}

function queuingCell(
  { spec }: PriorityLevelConfiguration,
  field: keyof QueuingConfiguration,
): string | number {
  return spec?.limited?.limitResponse?.queuing?.[field] ?? "<none>";
}

function defaults({ spec }: PriorityLevelConfiguration): void {
  if (!spec) return;
  if (spec.type === "Exempt") spec.exempt ??= {};
  if (spec.exempt) {
    spec.exempt.nominalConcurrencyShares ??= 0;
    spec.exempt.lendablePercent ??= 0;
  }
  if (!spec.limited) return;
  spec.limited.nominalConcurrencyShares ??= DEFAULT_SHARES;
  spec.limited.lendablePercent ??= 0;
  const queuing = spec.limited.limitResponse?.queuing;
  if (!queuing) return;
  queuing.handSize ||= 8;
  queuing.queues ||= 64;
  queuing.queueLengthLimit ||= 50;
}

function validate({ metadata, spec }: PriorityLevelConfiguration): FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("spec");
  const { type = "", limited, exempt } = spec ?? {};
  if ((type === "Exempt") !== (metadata.name === "exempt")) {
    const why = "type must be 'Exempt' if and only if name is 'exempt'";
    errors.push(invalidValue(path.child("type"), type, why));
  }
  if (type === "Exempt") {
    if (limited) errors.push(forbiddenField(path.child("limited"), "must be nil if the type is not Limited"));
    if (!exempt) errors.push(required(path.child("exempt"), "must not be empty when type is Exempt"));
    else validateShares(exempt, path.child("exempt"), errors);
  } else if (type === "Limited") {
    if (exempt) errors.push(forbiddenField(path.child("exempt"), "must be nil if the type is Limited"));
    if (!limited) errors.push(required(path.child("limited"), "must not be empty when type is Limited"));
    else validateLimited(limited, path.child("limited"), errors);
  } else errors.push(notSupported(path.child("type"), type, ["Exempt", "Limited"]));
  return errors;
}

function validateShares(
  { nominalConcurrencyShares = 0, lendablePercent = 0 }: LimitedPriorityLevelConfiguration,
  path: FieldPath,
  errors: FieldError[],
): void {
  if (nominalConcurrencyShares < 0) {
    const why = "must be a non-negative integer";
    errors.push(invalidValue(path.child("nominalConcurrencyShares"), nominalConcurrencyShares, why));
  }
  if (lendablePercent < 0 || lendablePercent > 100) {
    const why = "must be between 0 and 100, inclusive";
    errors.push(invalidValue(path.child("lendablePercent"), lendablePercent, why));
  }
}

function validateLimited(
  limited: LimitedPriorityLevelConfiguration,
  path: FieldPath,
  errors: FieldError[],
): void {
  validateShares(limited, path, errors);
  const { borrowingLimitPercent, limitResponse } = limited;
  if (borrowingLimitPercent !== undefined && borrowingLimitPercent < 0) {
    const why = "if specified, must be a non-negative integer";
    errors.push(invalidValue(path.child("borrowingLimitPercent"), borrowingLimitPercent, why));
  }
  const at = path.child("limitResponse");
  const { type = "", queuing } = limitResponse ?? {};
  if (type === "Reject") {
    if (queuing)
      errors.push(
        forbiddenField(at.child("queuing"), "must be nil if limited.limitResponse.type is not Limited"),
      );
  } else if (type === "Queue") {
    if (!queuing) {
      errors.push(
        required(at.child("queuing"), "must not be empty if limited.limitResponse.type is Limited"),
      );
    } else validateQueuing(queuing, at.child("queuing"), errors);
  } else errors.push(notSupported(at.child("type"), type, ["Queue", "Reject"]));
}

function validateQueuing(queuing: QueuingConfiguration, path: FieldPath, errors: FieldError[]): void {
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = queuing;
  for (const [field, value] of Object.entries({ queueLengthLimit, queues, handSize })) {
    if (value <= 0) errors.push(invalidValue(path.child(field), value, "must be positive"));
  }
  if (queues > MOST_QUEUES) {
    errors.push(invalidValue(path.child("queues"), queues, `must not be greater than ${MOST_QUEUES}`));
  } else if (handSize > queues) {
    const why = `should not be greater than queues (${queues})`;
    errors.push(invalidValue(path.child("handSize"), handSize, why));
  }
}
