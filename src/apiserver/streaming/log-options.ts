/** PodLogOptions: what a log is asked with, checked as upstream checks it, and written for the kubelet. */
import {
  type FieldError,
  forbiddenField,
  invalid,
  invalidValue,
  notSupported,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { badRequest } from "../../machinery/status/status-error.ts";
import { flag } from "./connect-options.ts";

export interface LogOptions {
  container: string;
  follow: boolean;
  /** Whatever certificate the kubelet shows. */
  insecure: boolean;
  /** For the kubelet. */
  query: URLSearchParams;
}

const STREAMS = ["All", "Stderr", "Stdout"];
const POSITIVE = "must be greater than 0";
const NOT_NEGATIVE = "must be greater than or equal to 0";

/** Throws Invalid, or BadRequest for what cannot be read at all. */
export function readLogOptions(query: URLSearchParams, pod: string): LogOptions {
  const errors: FieldError[] = [];
  const wanted = new URLSearchParams();
  for (const name of ["follow", "previous", "timestamps"]) if (flag(query, name)) wanted.set(name, "true");
  const number = (name: string, least: number, text: string): number | undefined => {
    const value = integer(query, name);
    if (value === undefined) return undefined;
    if (value < least) errors.push(invalidValue(FieldPath.root(name), value, text));
    wanted.set(name, String(value));
    return value;
  };
  const tail = number("tailLines", 0, NOT_NEGATIVE);
  number("limitBytes", 1, POSITIVE);
  const since = query.get("sinceTime") ?? "";
  if (since !== "" && query.has("sinceSeconds")) {
    errors.push(
      forbiddenField(FieldPath.root(""), "at most one of `sinceTime` or `sinceSeconds` may be specified"),
    );
  } else number("sinceSeconds", 1, POSITIVE);
  if (since !== "") {
    if (Number.isNaN(Date.parse(since)))
      throw badRequest(`parsing time ${JSON.stringify(since)}: cannot parse`);
    wanted.set("sinceTime", since);
  }
  const stream = query.get("stream") ?? "";
  if (stream !== "") {
    if (!STREAMS.includes(stream)) errors.push(notSupported(FieldPath.root("stream"), stream, STREAMS));
    else if (stream !== "All" && tail !== undefined) {
      errors.push(
        forbiddenField(
          FieldPath.root(""),
          "`tailLines` and specific `stream` are mutually exclusive for now",
        ),
      );
    }
    wanted.set("stream", stream);
  }
  if (errors.length > 0) throw invalid({ group: "", kind: "PodLogOptions" }, pod, errors);
  return {
    container: query.get("container") ?? "",
    follow: flag(query, "follow"),
    insecure: flag(query, "insecureSkipTLSVerifyBackend"),
    query: wanted,
  };
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (/^[+-]?\d{1,15}$/.test(text)) return Number(text);
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}
