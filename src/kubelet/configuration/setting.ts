/** How a field of the kubelet's configuration is declared. */
import type { FieldType } from "../../machinery/schema/schema.ts";

export interface Setting<T> {
  type: FieldType;
  /** What holds where the file says nothing; absent where the cluster or the machine says it, or it stays unset. */
  fallback?: T;
  /** A pointer in Go, whose zero says something; of others zero is as if nothing was said. */
  pointer?: true;
  /** What is wrong with a value, in upstream's words. */
  check?(value: T): string | undefined;
  /** For the guide. */
  decides: string;
}

/** With a default, what is in force always has the field. */
export type WithFallback<T> = Setting<T> & { fallback: T };

type Of<T> = Omit<Setting<T>, "type">;

/** Keeps whether there is a default in the type. */
function kind<T>(type: FieldType) {
  function setting(of: Of<T> & { fallback: T }): WithFallback<T>;
  function setting(of: Of<T>): Setting<T>;
  function setting(of: Of<T>): Setting<T> {
    return { type, ...of };
  }
  return setting;
}

export const int32 = kind<number>("int32");
export const int64 = kind<number>("int64");
export const truth = kind<boolean>("boolean");
export const text = kind<string>("string");
/** As Go writes it: `1m30s`. */
export const duration = kind<string>("Duration");
export const texts = kind<readonly string[]>({ list: "string" });
export const textMap = kind<Readonly<Record<string, string>>>({ map: "string" });
export const listOf = <T>(ref: string) => kind<readonly T[]>({ list: { ref } });

/** `must not be a negative number`, as upstream says it; `flag` is that of the same meaning. */
export function notNegative(name: string, flag: string): (value: number) => string | undefined {
  return (value) =>
    value < 0
      ? `invalid configuration: ${name} (--${flag}) ${value} must not be a negative number`
      : undefined;
}

export function percentage(name: string, flag: string): (value: number) => string | undefined {
  return (value) =>
    value < 0 || value > 100
      ? `invalid configuration: ${name} (--${flag}) ${value} must be between 0 and 100, inclusive`
      : undefined;
}
