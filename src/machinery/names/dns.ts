/** DNS labels and subdomains, as object names take them. Each answers what is wrong, nothing when all is well. */
import {
  byteLength,
  inclusiveRangeError,
  isDigit,
  isLower,
  isLowerOrDigit,
  maxLenError,
  NONE,
  regexError,
} from "./texts.ts";

export const DNS_LABEL_MAX = 63;
export const DNS_SUBDOMAIN_MAX = 253;

const HYPHEN = 45;
const DOT = 46;
const UNDERSCORE = 95;

const LABEL_FORMAT = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_FORMAT = `${LABEL_FORMAT}(\\.${LABEL_FORMAT})*`;
const UNDERSCORE_LABEL_FORMAT = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";

const LABEL_TEXT = regexError(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  LABEL_FORMAT,
  "my-name",
  "123-abc",
);
const SUBDOMAIN_TEXT = regexError(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  SUBDOMAIN_FORMAT,
  "example.com",
);
const UNDERSCORE_SUBDOMAIN_TEXT = regexError(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
  `${UNDERSCORE_LABEL_FORMAT}(\\.${UNDERSCORE_LABEL_FORMAT})*`,
  "example.com",
);
const DNS1035_TEXT = regexError(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  "[a-z]([-a-z0-9]*[a-z0-9])?",
  "my-name",
  "abc-123",
);
const WILDCARD_TEXT = regexError(
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  `\\*\\.${SUBDOMAIN_FORMAT}`,
  "*.example.com",
);

function labelShaped(text: string, from: number, to: number): boolean {
  if (from >= to) return false;
  if (!isLowerOrDigit(text.charCodeAt(from)) || !isLowerOrDigit(text.charCodeAt(to - 1))) return false;
  for (let i = from + 1; i < to - 1; i++) {
    const code = text.charCodeAt(i);
    if (!isLowerOrDigit(code) && code !== HYPHEN) return false;
  }
  return true;
}

function subdomainShaped(text: string, start = 0): boolean {
  let from = start;
  for (let i = start; i < text.length; i++) {
    if (text.charCodeAt(i) !== DOT) continue;
    if (!labelShaped(text, from, i)) return false;
    from = i + 1;
  }
  return labelShaped(text, from, text.length);
}

function underscoreLabelShaped(text: string): boolean {
  const from = text.charCodeAt(0) === UNDERSCORE ? 1 : 0;
  if (from >= text.length) return false;
  if (!isLowerOrDigit(text.charCodeAt(from)) || !isLowerOrDigit(text.charCodeAt(text.length - 1)))
    return false;
  for (let i = from + 1; i < text.length - 1; i++) {
    const code = text.charCodeAt(i);
    if (!isLowerOrDigit(code) && code !== HYPHEN && code !== UNDERSCORE) return false;
  }
  return true;
}

/** The length and shape rules together; allocates only where one is broken. */
function judged(text: string, max: number, shaped: boolean, says: string): string[] {
  // A well-shaped text is ASCII, so its length is its bytes.
  if (shaped && text.length <= max) return NONE;
  const wrong: string[] = [];
  if (byteLength(text) > max) wrong.push(maxLenError(max));
  if (!shaped) wrong.push(says);
  return wrong;
}

export function isDNS1123Label(value: string): string[] {
  const shaped = labelShaped(value, 0, value.length);
  if (shaped && value.length <= DNS_LABEL_MAX) return NONE;
  const says = !shaped && subdomainShaped(value) ? "must not contain dots" : LABEL_TEXT;
  return judged(value, DNS_LABEL_MAX, shaped, says);
}

export function isDNS1123Subdomain(value: string): string[] {
  return judged(value, DNS_SUBDOMAIN_MAX, subdomainShaped(value), SUBDOMAIN_TEXT);
}

export function isDNS1123SubdomainWithUnderscore(value: string): string[] {
  const shaped = value.split(".").every(underscoreLabelShaped);
  return judged(value, DNS_SUBDOMAIN_MAX, shaped, UNDERSCORE_SUBDOMAIN_TEXT);
}

export function isDNS1035Label(value: string): string[] {
  const shaped = labelShaped(value, 0, value.length) && isLower(value.charCodeAt(0));
  return judged(value, DNS_LABEL_MAX, shaped, DNS1035_TEXT);
}

export function isWildcardDNS1123Subdomain(value: string): string[] {
  const shaped = value.startsWith("*.") && subdomainShaped(value, 2);
  return judged(value, DNS_SUBDOMAIN_MAX, shaped, WILDCARD_TEXT);
}

const PORT_NAME_MAX = 15;

/** A port's name (IANA_SVC_NAME in lower case). */
export function isValidPortName(value: string): string[] {
  const wrong: string[] = [];
  let charset = value.length > 0;
  let letters = false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (isLower(code)) letters = true;
    else if (!isDigit(code) && code !== HYPHEN) charset = false;
  }
  if (byteLength(value) > PORT_NAME_MAX) wrong.push(maxLenError(PORT_NAME_MAX));
  if (!charset) wrong.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!letters) wrong.push("must contain at least one letter (a-z)");
  if (value.includes("--")) wrong.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) wrong.push("must not begin or end with a hyphen");
  return wrong;
}

export function isInRange(value: number, low: number, high: number): string[] {
  return value >= low && value <= high ? NONE : [inclusiveRangeError(low, high)];
}

export function isValidPortNum(port: number): string[] {
  return isInRange(port, 1, 65535);
}

/** The prefix of a generateName may end in a dash, since a suffix follows: the dash is taken for a letter. */
export function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name;
}

type NameRule = (name: string, prefix: boolean) => string[];

/** Rules for `Resource.validateName`; `prefix` is set for a generateName. */
export const nameIsDNSSubdomain: NameRule = (name, prefix) =>
  isDNS1123Subdomain(prefix ? maskTrailingDash(name) : name);
export const nameIsDNSLabel: NameRule = (name, prefix) =>
  isDNS1123Label(prefix ? maskTrailingDash(name) : name);
export const nameIsDNS1035Label: NameRule = (name, prefix) =>
  isDNS1035Label(prefix ? maskTrailingDash(name) : name);

/** Any text that fits one segment of a URL's path: RBAC's kinds. */
export function isPathSegmentName(name: string): string[] {
  if (name === "." || name === "..") return [`may not be '${name}'`];
  return isPathSegmentPrefix(name);
}

export function isPathSegmentPrefix(name: string): string[] {
  if (!name.includes("/") && !name.includes("%")) return NONE;
  const wrong: string[] = [];
  if (name.includes("/")) wrong.push("may not contain '/'");
  if (name.includes("%")) wrong.push("may not contain '%'");
  return wrong;
}

export const nameIsPathSegment: NameRule = (name, prefix) =>
  prefix ? isPathSegmentPrefix(name) : isPathSegmentName(name);
