/**
 * The grammars of names: each `is…` answers with upstream's words for every rule that is broken, and with an empty
 * array, which callers must not change, when all is well.
 */
export * from "./dns.ts";
export * from "./ip.ts";
export * from "./keys.ts";
export { byteLength, EMPTY_ERROR, inclusiveRangeError, maxLenError, regexError } from "./texts.ts";
