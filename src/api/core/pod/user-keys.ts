/** Sets a key that a user chose; `__proto__` stays an ordinary key. */
export function define(map: Record<string, string>, name: string, value: string): void {
  if (name !== "__proto__") map[name] = value;
  else Object.defineProperty(map, name, { value, writable: true, enumerable: true, configurable: true });
}
