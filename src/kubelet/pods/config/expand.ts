/**
 * Replaces `$(NAME)` by what `lookup` knows; a name it does not know stays as it is written, and `$$` is one dollar that
 * begins nothing.
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let dollar = text.indexOf("$");
  if (dollar < 0) return text;
  let out = "";
  let from = 0;
  for (; dollar >= 0 && dollar + 1 < text.length; dollar = text.indexOf("$", from)) {
    out += text.slice(from, dollar);
    const next = text[dollar + 1];
    if (next === "(") {
      const end = text.indexOf(")", dollar + 2);
      if (end < 0) {
        out += "$(";
        from = dollar + 2;
        continue;
      }
      out += lookup(text.slice(dollar + 2, end)) ?? text.slice(dollar, end + 1);
      from = end + 1;
    } else {
      out += next === "$" ? "$" : `$${next}`;
      from = dollar + 2;
    }
  }
  return out + text.slice(from);
}
