/** Takes a part of the object back from what is stored. */
export function take<T extends object>(object: T, old: T, part: keyof T): void {
  // Not deleted: that makes objects large and slow to the engine.
  if (object[part] !== old[part]) object[part] = old[part];
}
