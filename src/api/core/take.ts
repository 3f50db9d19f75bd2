/** Takes a part of the object back from what is stored. */
export function take<T extends object>(object: T, old: T, part: keyof T): void {
  if (old[part] === undefined) delete object[part];
  else object[part] = old[part];
}
