/** Label keys and values, environment variables, config keys and other small grammars of names. */
import type { FieldError } from "../field/field-error.ts";
import { invalidValue, required } from "../field/field-error.ts";
import type { FieldPath } from "../field/path.ts";
import { DNS_SUBDOMAIN_MAX, isDNS1123Label, isDNS1123Subdomain } from "./dns.ts";
import { byteLength, EMPTY_ERROR, isDigit, isLetterOrDigit, maxLenError, NONE, regexError } from "./texts.ts";

const LABEL_MAX = 63;
const KEY_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const KEY_FORMAT = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const KEY_TEXT = regexError(KEY_RULE, KEY_FORMAT, "MyName", "my.name", "123-abc");
const VALUE_TEXT = regexError(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  `(${KEY_FORMAT})?`,
  "MyValue",
  "my_value",
  "12345",
);

/** `-`, `.` or `_`. */
function isJoint(code: number): boolean {
  return code === 45 || code === 46 || code === 95;
}

function keyShaped(text: string): boolean {
  const last = text.length - 1;
  if (last < 0) return false;
  if (!isLetterOrDigit(text.charCodeAt(0)) || !isLetterOrDigit(text.charCodeAt(last))) return false;
  for (let i = 1; i < last; i++) {
    const code = text.charCodeAt(i);
    if (!isLetterOrDigit(code) && !isJoint(code)) return false;
  }
  return true;
}

/** A label's key: an optional DNS prefix and a name (`app.kubernetes.io/name`). */
export function isQualifiedName(value = ""): string[] {
  const slash = value.indexOf("/");
  const name = slash < 0 ? value : value.slice(slash + 1);
  const shaped = keyShaped(name);
  const prefixWrong =
    slash < 0 ? NONE : slash === 0 ? [EMPTY_ERROR] : isDNS1123Subdomain(value.slice(0, slash));
  if (shaped && name.length <= LABEL_MAX && prefixWrong.length === 0) return NONE;
  if (name.includes("/")) {
    return [
      `a valid label key ${KEY_TEXT} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const wrong = prefixWrong.map((text) => `prefix part ${text}`);
  if (name === "") wrong.push(`name part ${EMPTY_ERROR}`);
  else if (byteLength(name) > LABEL_MAX) wrong.push(`name part ${maxLenError(LABEL_MAX)}`);
  if (!shaped) wrong.push(`name part ${KEY_TEXT}`);
  return wrong;
}

export function isValidLabelValue(value: string): string[] {
  const shaped = value === "" || keyShaped(value);
  if (shaped && value.length <= LABEL_MAX) return NONE;
  const wrong: string[] = [];
  if (byteLength(value) > LABEL_MAX) wrong.push(maxLenError(LABEL_MAX));
  if (!shaped) wrong.push(VALUE_TEXT);
  return wrong;
}

function madeOf(text: string, allowed: (code: number) => boolean): boolean {
  for (let i = 0; i < text.length; i++) if (!allowed(text.charCodeAt(i))) return false;
  return text.length > 0;
}

const C_IDENTIFIER_TEXT = regexError(
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  "[A-Za-z_][A-Za-z0-9_]*",
  "my_name",
  "MY_NAME",
  "MyName",
);

export function isCIdentifier(value: string): string[] {
  const shaped =
    madeOf(value, (code) => isLetterOrDigit(code) || code === 95) && !isDigit(value.charCodeAt(0));
  return shaped ? NONE : [C_IDENTIFIER_TEXT];
}

const ENV_TEXT = regexError(
  "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
  "[-._a-zA-Z][-._a-zA-Z0-9]*",
  "my.env-name",
  "MY_ENV.NAME",
  "MyEnvName1",
);

function dotsWrong(value: string): string | undefined {
  if (value === ".") return "must not be '.'";
  if (value === "..") return "must not be '..'";
  return value.startsWith("..") ? "must not start with '..'" : undefined;
}

const isNameChar = (code: number) => isLetterOrDigit(code) || isJoint(code);

export function isEnvVarName(value: string): string[] {
  const shaped = madeOf(value, isNameChar) && !isDigit(value.charCodeAt(0));
  const dots = dotsWrong(value);
  if (shaped && dots === undefined) return NONE;
  const wrong = shaped ? [] : [ENV_TEXT];
  if (dots !== undefined) wrong.push(dots);
  return wrong;
}

/** What pods may use since 1.30: anything printable in ASCII but `=`. */
export function isRelaxedEnvVarName(value: string): string[] {
  if (value === "") return [`environment variable name ${EMPTY_ERROR}`];
  if (madeOf(value, (code) => code >= 0x20 && code < 0x7f && code !== 61)) return NONE;
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

const CONFIG_KEY_TEXT = regexError(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  "[-._a-zA-Z0-9]+",
  "key.name",
  "KEY_NAME",
  "key-name",
);

/** A key of a ConfigMap or Secret. */
export function isConfigMapKey(value: string): string[] {
  const shaped = madeOf(value, isNameChar);
  const dots = dotsWrong(value);
  if (shaped && dots === undefined && value.length <= DNS_SUBDOMAIN_MAX) return NONE;
  const wrong: string[] = [];
  if (byteLength(value) > DNS_SUBDOMAIN_MAX) wrong.push(maxLenError(DNS_SUBDOMAIN_MAX));
  if (!shaped) wrong.push(CONFIG_KEY_TEXT);
  if (dots !== undefined) wrong.push(dots);
  return wrong;
}

const HEADER_TEXT = regexError(
  "a valid HTTP header must consist of alphanumeric characters or '-'",
  "[-A-Za-z0-9]+",
  "X-Header-Name",
);

export function isHTTPHeaderName(value: string): string[] {
  return madeOf(value, (code) => isLetterOrDigit(code) || code === 45) ? NONE : [HEADER_TEXT];
}

const PERCENT_TEXT = regexError(
  "a valid percent string must be a numeric string followed by an ending '%'",
  "[0-9]+%",
  "1%",
  "93%",
);

export function isValidPercent(value: string): string[] {
  return value.endsWith("%") && madeOf(value.slice(0, -1), isDigit) ? NONE : [PERCENT_TEXT];
}

/** At least three segments. Errors carry the path, as emptiness is an error of another type. */
export function isFullyQualifiedName(path: FieldPath, name: string): FieldError[] {
  if (name === "") return [required(path)];
  const wrong = isDNS1123Subdomain(name);
  if (wrong.length > 0) return [invalidValue(path, name, wrong.join(","))];
  if (name.split(".").length >= 3) return [];
  return [invalidValue(path, name, "should be a domain with at least three segments separated by dots")];
}

/** At least two segments; a trailing dot is taken. */
export function isFullyQualifiedDomainName(path: FieldPath, given: string): FieldError[] {
  if (given === "") return [required(path)];
  const name = given.endsWith(".") ? given.slice(0, -1) : given;
  const wrong = isDNS1123Subdomain(name);
  if (wrong.length > 0) return [invalidValue(path, name, wrong.join(","))];
  const labels = name.split(".");
  if (labels.length < 2) {
    return [invalidValue(path, name, "should be a domain with at least two segments separated by dots")];
  }
  for (const label of labels) {
    const labelWrong = isDNS1123Label(label);
    if (labelWrong.length > 0) return [invalidValue(path, label, labelWrong.join(","))];
  }
  return [];
}

const PATH_PUNCTUATION = "/-._~%!$&'()*+,;=:";

/** `acme.io/foo`, where what follows the slash is any HTTP path. */
export function isDomainPrefixedPath(path: FieldPath, value: string): FieldError[] {
  if (value === "") return [required(path)];
  const slash = value.indexOf("/");
  if (slash <= 0 || slash === value.length - 1) {
    return [invalidValue(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  }
  const host = value.slice(0, slash);
  const rest = value.slice(slash + 1);
  const errors = isDNS1123Subdomain(host).map((text) => invalidValue(path, host, text));
  if (
    !madeOf(rest, (code) => isLetterOrDigit(code) || PATH_PUNCTUATION.includes(String.fromCharCode(code)))
  ) {
    errors.push(invalidValue(path, rest, regexError("Invalid path", "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+")));
  }
  return errors;
}

/** `acme.io/foo`, where the prefix must be there and the whole is a label key. */
export function isDomainPrefixedKey(path: FieldPath, value: string): FieldError[] {
  if (value === "") return [required(path)];
  const wrong = isQualifiedName(value);
  if (wrong.length > 0) return wrong.map((text) => invalidValue(path, value, text));
  if (value.includes("/")) return [];
  return [invalidValue(path, value, 'must be a domain-prefixed key (such as "acme.io/foo")')];
}
