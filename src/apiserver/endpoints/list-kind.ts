import type { Served } from "../registry/registry.ts";

/** The kind and apiVersion of a list of a resource. */
export function qualifiedListKind({ kind, apiVersion }: Served): { kind: string; apiVersion: string } {
  return { kind: `${kind}List`, apiVersion };
}
