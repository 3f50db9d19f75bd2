import type { Pod } from "../../../api/schema/core.v1.generated.ts";
import { PodError } from "../../ports.ts";

/** The longest that Linux takes. */
const LONGEST = 64;
const LONGEST_LABEL = 63;

export interface PodHostname {
  /** What the kernel is told: the whole name where the pod wants it so. */
  hostname: string;
  /** The first label. */
  short: string;
  /** Of pods with a subdomain; else "". */
  domain: string;
}

/** Throws PodError where the name would be too long for the kernel. */
export function podHostname({ metadata, spec }: Pod, clusterDomain: string): PodHostname {
  if (spec?.hostnameOverride) {
    return { hostname: spec.hostnameOverride, short: spec.hostnameOverride, domain: "" };
  }
  const short = spec?.hostname || truncated(metadata.name ?? "");
  const domain = spec?.subdomain ? `${spec.subdomain}.${metadata.namespace}.svc.${clusterDomain}` : "";
  if (!spec?.setHostnameAsFQDN || domain === "") return { hostname: short, short, domain };
  const hostname = `${short}.${domain}`;
  if (hostname.length > LONGEST) {
    throw new PodError(
      "FailedCreatePodSandBox",
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${hostname} is too long (${LONGEST} characters is the max, ${hostname.length} characters requested)`,
    );
  }
  return { hostname, short, domain };
}

function truncated(name: string): string {
  if (name.length <= LONGEST_LABEL) return name;
  let end = LONGEST_LABEL;
  while (end > 0 && (name[end - 1] === "-" || name[end - 1] === ".")) end--;
  return name.slice(0, end);
}
