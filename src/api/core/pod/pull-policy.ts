/** `Always` for `:latest` and for no tag at all, `IfNotPresent` for everything pinned. */
export function pullPolicyOf(image: string): "Always" | "IfNotPresent" {
  const digest = image.indexOf("@");
  const name = digest < 0 ? image : image.slice(0, digest);
  const colon = name.lastIndexOf(":");
  const tagged = colon > name.lastIndexOf("/");
  if (!tagged) return digest < 0 && image !== "" ? "Always" : "IfNotPresent";
  return name.slice(colon + 1) === "latest" ? "Always" : "IfNotPresent";
}
