/**
 * Freezes a parsed JSON value to its leaves: what many read, none may change. What is frozen is so to its leaves: a server
 * in the same process hands out its own.
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) for (const item of value) deepFreeze(item);
  else for (const key in value) deepFreeze(value[key]);
  return Object.freeze(value);
}
