/** The levels that a namespace's labels ask for, and what a pod violates of one. */
import type { PodSpec } from "../../api/schema/core.v1.generated.ts";
import { type FieldError, invalidValue } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { BASELINE } from "./baseline-checks.ts";
import type { Check, PodMeta } from "./check.ts";
import { RESTRICTED } from "./restricted-checks.ts";

const PREFIX = "pod-security.kubernetes.io/";
const LEVELS = ["privileged", "baseline", "restricted"];

export type Mode = "enforce" | "audit" | "warn";

export interface Level {
  level: string;
  /** `latest` or `v1.25`. */
  version: string;
}

export type Policy = Readonly<Record<Mode, Level>>;

const PRIVILEGED: Level = { level: "privileged", version: "latest" };
const RESTRICTED_LATEST: Level = { level: "restricted", version: "latest" };

/** Labels that make no sense count as the strictest, and are told of in `errors`. */
export function policyOf(labels: Readonly<Record<string, string>> | undefined): {
  policy: Policy;
  errors: FieldError[];
} {
  const errors: FieldError[] = [];
  const at = FieldPath.root("metadata", "labels");
  const read = (mode: Mode): Level => {
    const given = labels?.[PREFIX + mode];
    const version = labels?.[`${PREFIX}${mode}-version`];
    const before = errors.length;
    if (given !== undefined && !LEVELS.includes(given)) {
      errors.push(invalidValue(at.key(PREFIX + mode), given, `must be one of ${LEVELS.join(", ")}`));
    }
    if (version !== undefined && minorOf(version) === undefined) {
      const detail = 'must be "latest" or "v1.x"';
      errors.push(invalidValue(at.key(`${PREFIX}${mode}-version`), version, detail));
    }
    if (errors.length > before) return mode === "enforce" ? RESTRICTED_LATEST : PRIVILEGED;
    return given === undefined && version === undefined
      ? PRIVILEGED
      : { level: given ?? "privileged", version: version ?? "latest" };
  };
  return { policy: { enforce: read("enforce"), audit: read("audit"), warn: read("warn") }, errors };
}

/** Infinity for `latest`; undefined for what is no version. */
function minorOf(version: string): number | undefined {
  if (version === "latest") return Number.POSITIVE_INFINITY;
  if (!version.startsWith("v1.") || version.length > 8) return undefined;
  const minor = version.slice(3);
  return minor === String(Number.parseInt(minor, 10)) && Number(minor) >= 0 ? Number(minor) : undefined;
}

const checksOf = new Map<string, readonly Check[]>();

function checks({ level, version }: Level, minor: number): readonly Check[] {
  const key = `${level}:${version}`;
  let found = checksOf.get(key);
  if (!found) {
    const restricted = level === "restricted" ? RESTRICTED.filter(({ since }) => since <= minor) : [];
    const said = new Set(restricted.map(({ overrides }) => overrides));
    found = [...BASELINE.filter(({ id, since }) => since <= minor && !said.has(id)), ...restricted];
    // Labels name versions; a namespace cannot make this grow without bound.
    if (checksOf.size < 1000) checksOf.set(key, found);
  }
  return found;
}

/** `host namespaces (hostNetwork=true), privileged (…)`, or undefined for a pod that is within the level. */
export function violations(spec: PodSpec, metadata: PodMeta, level: Level): string | undefined {
  if (level.level === "privileged") return undefined;
  const minor = minorOf(level.version) ?? Number.POSITIVE_INFINITY;
  let text: string | undefined;
  for (const { check } of checks(level, minor)) {
    const found = check(spec, metadata, minor);
    if (!found) continue;
    const one = `${found.reason} (${found.detail})`;
    text = text === undefined ? one : `${text}, ${one}`;
  }
  return text;
}

export function printed({ level, version }: Level): string {
  return `"${level}:${version}"`;
}
