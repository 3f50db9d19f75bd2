/** Freezes a parsed JSON value to its leaves: what many read, none may change. What is frozen is so to its leaves. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) for (let at = 0; at < value.length; at++) deepFreeze(value[at]);
  else for (const key in value) deepFreeze(value[key]);
  return Object.freeze(value);
}
