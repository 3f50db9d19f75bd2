/** Log lines on stderr: time, level, what happened, and facts as `name=value`. */
export function logLine(
  level: "info" | "warn" | "error",
  text: string,
  facts: Record<string, unknown> = {},
): void {
  const told = Object.entries(facts).map(
    ([name, value]) =>
      ` ${name}=${typeof value === "string" && !/[\s"]/.test(value) ? value : JSON.stringify(value)}`,
  );
  process.stderr.write(`${new Date().toISOString()} ${level} ${text}${told.join("")}\n`);
}
