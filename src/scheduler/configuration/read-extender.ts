/** Reads `extenders[]` of a KubeSchedulerConfiguration. */

import { DurationError, parseDuration } from "../../machinery/time/duration.ts";
import type { ArgumentsReader } from "../framework/arguments.ts";
import { ConfigurationError } from "../framework/plugin.ts";
import type { ExtenderConfiguration } from "./extender-configuration.ts";

/** Reads a file that the configuration names. */
export type ReadFile = (path: string) => string;

/** Upstream's DefaultExtenderTimeout. */
const TIMEOUT = 5000;

export function readExtender(from: ArgumentsReader, path: string, readFile: ReadFile): ExtenderConfiguration {
  const urlPrefix = from.text("urlPrefix", "");
  const prioritizeVerb = from.text("prioritizeVerb", "");
  const weight = from.number("weight", 0, 0, Number.MAX_SAFE_INTEGER);
  const https = from.flag("enableHTTPS", false);
  const tls = from.object("tlsConfig", (config) => readTLS(config, https, path, readFile));
  if (!URL.canParse(urlPrefix)) throw from.invalid("urlPrefix", urlPrefix, "must be a URL");
  if (prioritizeVerb !== "" && weight === 0) {
    throw from.invalid("weight", weight, "must have a positive weight applied to it");
  }
  const managedResources =
    from.list("managedResources", (item) => {
      const name = item.text("name", "");
      if (name === "") throw item.missing("name");
      return { name, ignoredByScheduler: item.flag("ignoredByScheduler", false) };
    }) ?? [];
  return {
    urlPrefix,
    filterVerb: from.text("filterVerb", ""),
    preemptVerb: from.text("preemptVerb", ""),
    prioritizeVerb,
    bindVerb: from.text("bindVerb", ""),
    weight,
    timeout: duration(from, "httpTimeout", TIMEOUT),
    nodeCacheCapable: from.flag("nodeCacheCapable", false),
    managedResources,
    ignorable: from.flag("ignorable", false),
    // Without an authority to hold it against, a certificate is taken as it comes.
    tls: tls ?? (https ? { insecure: true, serverName: undefined } : undefined),
  };
}

function readTLS(
  from: ArgumentsReader,
  https: boolean,
  path: string,
  readFile: ReadFile,
): NonNullable<ExtenderConfiguration["tls"]> {
  const pem = (name: string): string | undefined => {
    const data = from.text(`${name}Data`, "");
    if (data !== "") return Buffer.from(data, "base64").toString("utf8");
    const file = from.text(`${name}File`, "");
    if (file === "") return undefined;
    try {
      return readFile(file);
    } catch (error) {
      throw from.invalid(`${name}File`, file, `cannot be read: ${(error as Error).message}`);
    }
  };
  const insecure = from.flag("insecure", false);
  const serverName = from.text("serverName", "") || undefined;
  const [ca, cert, key] = [pem("ca"), pem("cert"), pem("key")];
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConfigurationError(
      `${path}.tlsConfig: a client certificate needs its key, and a key its certificate`,
    );
  }
  if (insecure && ca !== undefined) {
    throw new ConfigurationError(
      `${path}.tlsConfig: specifying a root certificates file with the insecure flag is not allowed`,
    );
  }
  return { insecure: insecure || (https && ca === undefined), serverName, ca, cert, key };
}

/** Milliseconds. */
function duration(from: ArgumentsReader, name: string, fallback: number): number {
  const text = from.text(name, "");
  if (text === "") return fallback;
  try {
    return Number(parseDuration(text) / 1_000_000n) || fallback;
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    throw from.invalid(name, text, error.message);
  }
}
