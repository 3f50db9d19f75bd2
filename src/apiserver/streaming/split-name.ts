/** `[scheme:]name[:port]`, as the proxies of pods, services and nodes name what they reach. */
export interface ProxyName {
  /** "" where none is said. */
  scheme: "" | "http" | "https";
  name: string;
  port: string;
}

/** Undefined where the text is not of that form. */
export function splitName(text: string): ProxyName | undefined {
  const parts = text.split(":");
  if (parts.length > 3) return undefined;
  const [scheme, name = "", port = ""] = parts.length === 3 ? parts : ["", ...parts];
  if (name === "" || (scheme !== "" && scheme !== "http" && scheme !== "https")) return undefined;
  return { scheme, name, port };
}
