/** The words and signs of a label selector's text. */

/** The text is no selector; the message is upstream's. */
export class SelectorError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SelectorError";
  }
}

export interface Token {
  type: "word" | "end" | "!" | "=" | "==" | "!=" | "<" | ">" | "(" | ")" | ",";
  text: string;
}

const SPACE = " \t\r\n";
const SIGNS = "=!(),><";

/** Ends with a token of type `end`. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text[at]!;
    if (SPACE.includes(char)) {
      at++;
    } else if (SIGNS.includes(char)) {
      const double = (char === "=" || char === "!") && text[at + 1] === "=";
      const sign = double ? `${char}=` : char;
      tokens.push({ type: sign as Token["type"], text: sign });
      at += sign.length;
    } else {
      const from = at;
      while (at < text.length && !SPACE.includes(text[at]!) && !SIGNS.includes(text[at]!)) at++;
      tokens.push({ type: "word", text: text.slice(from, at) });
    }
  }
  tokens.push({ type: "end", text: "" });
  return tokens;
}
