/** What a reader of a container's log asks for, as /containerLogs takes it in its query (PodLogOptions). */

export interface LogQuery {
  follow: boolean;
  previous: boolean;
  timestamps: boolean;
  /** Nanoseconds since 1970. */
  since: bigint | undefined;
  tailLines: number | undefined;
  limitBytes: number | undefined;
  stream: "All" | "Stdout" | "Stderr";
}

const STREAMS = ["All", "Stdout", "Stderr"] as const;
const NANOS = 1_000_000n;

/** `now`: milliseconds, for sinceSeconds. Throws LogQueryError, whose message the client is shown. */
export function readLogQuery(query: URLSearchParams, now: number): LogQuery {
  const seconds = integer(query, "sinceSeconds");
  const time = query.get("sinceTime") ?? "";
  if (seconds !== undefined && time !== "") {
    throw new LogQueryError("at most one of `sinceTime` or `sinceSeconds` may be specified");
  }
  if (seconds !== undefined && seconds < 1) throw new LogQueryError("sinceSeconds: must be greater than 0");
  const tailLines = integer(query, "tailLines");
  if (tailLines !== undefined && tailLines < 0) {
    throw new LogQueryError("tailLines: must be greater than or equal to 0");
  }
  const limitBytes = integer(query, "limitBytes");
  if (limitBytes !== undefined && limitBytes < 1) {
    throw new LogQueryError("limitBytes: must be greater than 0");
  }
  const stream = STREAMS.find((one) => one === (query.get("stream") || "All"));
  if (!stream) throw new LogQueryError(`stream: must be one of ${STREAMS.join(", ")}`);
  if (stream !== "All" && tailLines !== undefined) {
    throw new LogQueryError("`tailLines` and specific `stream` are mutually exclusive for now");
  }
  return {
    follow: flag(query, "follow"),
    previous: flag(query, "previous"),
    timestamps: flag(query, "timestamps"),
    since:
      seconds !== undefined
        ? BigInt(now - seconds * 1000) * NANOS
        : time === ""
          ? undefined
          : sinceTime(time),
    tailLines,
    limitBytes,
    stream,
  };
}

export class LogQueryError extends Error {}

/** As upstream reads booleans of queries: "0" and "false" are false, any other text is true. */
function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== "0" && value.toLowerCase() !== "false";
}

function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw new LogQueryError(`${name}: must be a number`);
  return Number(text);
}

function sinceTime(text: string): bigint {
  const nanos = nanosOf(text);
  if (nanos === undefined) throw new LogQueryError("sinceTime: must be a time as in RFC 3339");
  return nanos;
}

/** Of an RFC 3339 time, to the nanosecond; undefined where the text is none. */
export function nanosOf(text: string): bigint | undefined {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!found) return undefined;
  const [, seconds = "", fraction = "", zone = ""] = found;
  const ms = Date.parse(`${seconds}${zone}`);
  return Number.isNaN(ms) ? undefined : BigInt(ms) * NANOS + BigInt(fraction.padEnd(9, "0"));
}
