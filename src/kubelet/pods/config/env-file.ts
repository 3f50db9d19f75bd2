/**
 * Variables in a file, as a shell would read them, but of one form alone:
 *
 *   # a comment
 *   NAME='what is in here stands as it is, over several lines too' # a comment
 */

/** What is wrong with the file before the variable is found in it. It does not show what the file says. */
export class EnvFileError extends Error {
  constructor(line: number, why?: string) {
    super(`invalid environment variable format at line ${line}${why === undefined ? "" : `: ${why}`}`);
    this.name = "EnvFileError";
  }
}

/** The first value of the variable; undefined where it is not there. What follows it is not looked at. */
export function envFileValue(text: string, key: string): string | undefined {
  let line = 1;
  for (let at = 0; at < text.length; ) {
    at = skipBlanks(text, at);
    if (text[at] === "#") at = endOfLine(text, at);
    else if (at < text.length && text[at] !== "\n") {
      const { name, value, end } = readAssignment(text, at, line);
      if (name === key) return value;
      line += lines(value);
      at = end;
    }
    at++;
    line++;
  }
  return undefined;
}

/** Up to the end of its last line. */
function readAssignment(
  text: string,
  at: number,
  line: number,
): { name: string; value: string; end: number } {
  const equals = text.indexOf("=", at);
  if (equals === -1 || equals > endOfLine(text, at) || equals === at) throw new EnvFileError(line);
  const name = text.slice(at, equals);
  if (name.endsWith(" ") || name.endsWith("\t")) {
    throw new EnvFileError(line, "whitespace before '=' is not allowed");
  }
  if (text[equals + 1] !== "'") throw new EnvFileError(line, "value must be enclosed in single quotes");
  const close = text.indexOf("'", equals + 2);
  if (close === -1) throw new EnvFileError(line, "unclosed single quote");
  const value = text.slice(equals + 2, close);
  const end = endOfLine(text, close);
  const rest = skipBlanks(text, close + 1);
  const isComment = text[rest] === "#" && rest > close + 1;
  if (rest < end && !isComment) {
    throw new EnvFileError(line + lines(value), "unexpected content after closing quote");
  }
  return { name, value, end };
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text[at] === " " || text[at] === "\t" || text[at] === "\r") at++;
  return at;
}

function endOfLine(text: string, from: number): number {
  const at = text.indexOf("\n", from);
  return at === -1 ? text.length : at;
}

function lines(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
