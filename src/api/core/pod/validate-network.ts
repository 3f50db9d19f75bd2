/** A pod's names, host aliases, DNS and use of the host's network. */
import { forbiddenField, invalidValue, required } from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isDNS1123SubdomainWithUnderscore,
  isValidIPForLegacyField,
} from "../../../machinery/names/names.ts";
import type { HostAlias, PodDNSConfig, PodSpec } from "../../schema/core.v1.generated.ts";
import { eachInvalid, type Rules } from "./checks.ts";

const MAX_NAMESERVERS = 3;
const MAX_SEARCHES = 32;
const MAX_SEARCH_CHARACTERS = 2048;
/** What the kernel takes as a host name. */
const MAX_HOSTNAME = 64;

export function validateHostAliases(aliases: readonly HostAlias[], at: FieldPath, { errors }: Rules): void {
  aliases.forEach(({ ip, hostnames }, i) => {
    eachInvalid(errors, isValidIPForLegacyField(ip), at.index(i).child("ip"), ip);
    hostnames?.forEach((name, j) => {
      eachInvalid(errors, isDNS1123Subdomain(name), at.index(i).child("hostnames").index(j), name);
    });
  });
}

export function validateDNS(spec: PodSpec, at: FieldPath, rules: Rules): void {
  const { errors } = rules;
  const config = spec.dnsConfig;
  if (spec.dnsPolicy === "None") {
    if (!config) {
      errors.push(required(at, "must provide `dnsConfig` when `dnsPolicy` is None"));
      return;
    }
    if (!config.nameservers || config.nameservers.length === 0) {
      const why = "must provide at least one DNS nameserver when `dnsPolicy` is None";
      errors.push(required(at.child("nameservers"), why));
      return;
    }
  }
  if (config) validateDNSConfig(config, at, rules);
}

function validateDNSConfig(
  { nameservers = [], searches = [], options = [] }: PodDNSConfig,
  at: FieldPath,
  { errors }: Rules,
): void {
  if (nameservers.length > MAX_NAMESERVERS) {
    const why = `must not have more than ${MAX_NAMESERVERS} nameservers`;
    errors.push(invalidValue(at.child("nameservers"), nameservers, why));
  }
  nameservers.forEach((server, i) => {
    eachInvalid(errors, isValidIPForLegacyField(server), at.child("nameservers").index(i), server);
  });
  if (searches.length > MAX_SEARCHES) {
    const why = `must not have more than ${MAX_SEARCHES} search paths`;
    errors.push(invalidValue(at.child("searches"), searches, why));
  }
  if (searches.join(" ").length > MAX_SEARCH_CHARACTERS) {
    const why = `must not have more than ${MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list`;
    errors.push(invalidValue(at.child("searches"), searches, why));
  }
  searches.forEach((search, i) => {
    if (search === ".") return;
    const domain = search.endsWith(".") ? search.slice(0, -1) : search;
    eachInvalid(errors, isDNS1123SubdomainWithUnderscore(domain), at.child("searches").index(i), domain);
  });
  options.forEach(({ name }, i) => {
    if (!name) errors.push(required(at.child("options").index(i), "must not be empty"));
  });
}

export function validateHostnames(spec: PodSpec, at: FieldPath, { errors }: Rules): void {
  if (spec.hostname) eachInvalid(errors, isDNS1123Label(spec.hostname), at.child("hostname"), spec.hostname);
  if (spec.subdomain)
    eachInvalid(errors, isDNS1123Label(spec.subdomain), at.child("subdomain"), spec.subdomain);
  const override = spec.hostnameOverride;
  if (override === undefined) return;
  const path = at.child("hostnameOverride");
  eachInvalid(errors, isDNS1123Subdomain(override), path, override);
  if (override.length > MAX_HOSTNAME) {
    errors.push(invalidValue(path, override, `must be no more than ${MAX_HOSTNAME} characters`));
  }
  if (spec.hostNetwork) errors.push(forbiddenField(path, "cannot be set when hostNetwork is true"));
  if (spec.setHostnameAsFQDN)
    errors.push(forbiddenField(path, "cannot be set when setHostnameAsFQDN is true"));
}

/** In the host's network a container's port is the host's. A template may leave the host port to the pod's defaults. */
export function validateHostNetworkPorts(spec: PodSpec, at: FieldPath, { errors, isPod }: Rules): void {
  if (!spec.hostNetwork) return;
  spec.containers.forEach(({ ports }, c) => {
    ports?.forEach(({ hostPort = 0, containerPort }, p) => {
      if (hostPort === containerPort || (!isPod && hostPort === 0)) return;
      const path = at.child("containers").index(c).child("ports").index(p).child("hostPort");
      errors.push(invalidValue(path, hostPort, "must match `containerPort` when `hostNetwork` is true"));
    });
  });
}
