/** The environment variables by which pods find the Services that were there before them. */
import type { Service } from "../../../api/core/services.ts";

const CLUSTER_SERVICE = { namespace: "default", name: "kubernetes" };

/** `services` in any order; of the same name the pod's own namespace comes before the cluster's. */
export function serviceEnvironment(
  services: readonly Service[],
  namespace: string,
  enableServiceLinks: boolean,
): Map<string, string> {
  const environment = new Map<string, string>();
  const seen = new Map<string, Service>();
  for (const service of services) {
    const { name = "", namespace: of } = service.metadata;
    const clusterIP = service.spec?.clusterIP;
    if (!clusterIP || clusterIP === "None" || service.spec?.type === "ExternalName") continue;
    if (of === CLUSTER_SERVICE.namespace && name === CLUSTER_SERVICE.name) {
      if (!seen.has(name)) seen.set(name, service);
    } else if (of === namespace && enableServiceLinks) seen.set(name, service);
  }
  for (const service of seen.values()) addService(environment, service);
  return environment;
}

function addService(environment: Map<string, string>, { metadata, spec }: Service): void {
  const [first, ...others] = spec?.ports ?? [];
  if (!first) return;
  const name = variableName(metadata.name ?? "");
  const ip = spec?.clusterIP ?? "";
  environment.set(`${name}_SERVICE_HOST`, ip);
  environment.set(`${name}_SERVICE_PORT`, String(first.port));
  for (const port of [first, ...others]) {
    if (port.name) environment.set(`${name}_SERVICE_PORT_${variableName(port.name)}`, String(port.port));
  }
  const host = ip.includes(":") ? `[${ip}]` : ip;
  for (const port of [first, ...others]) {
    const protocol = port.protocol ?? "TCP";
    const url = `${protocol.toLowerCase()}://${host}:${port.port}`;
    if (port === first) environment.set(`${name}_PORT`, url);
    const prefix = `${name}_PORT_${port.port}_${protocol}`;
    environment.set(prefix, url);
    environment.set(`${prefix}_PROTO`, protocol.toLowerCase());
    environment.set(`${prefix}_PORT`, String(port.port));
    environment.set(`${prefix}_ADDR`, ip);
  }
}

function variableName(name: string): string {
  return name.replaceAll("-", "_").toUpperCase();
}
