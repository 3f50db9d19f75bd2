/**
 * What a reader of JSON knows of the keys at one place. `undefined` from a function means that nothing below is looked
 * at: an unknown field, or a value that is kept as it is.
 */
export interface KeyShape {
  /** Of an object's key. */
  field(key: string): KeyShape | undefined;
  /** Of an array's elements. */
  element(): KeyShape | undefined;
}

/** Everything is looked at. */
export const EVERY_KEY: KeyShape = { field: () => EVERY_KEY, element: () => EVERY_KEY };

interface Level {
  shape: KeyShape | undefined;
  path: string;
  /** The keys so far, or the number of elements. */
  keys: Set<string> | undefined;
  index: number;
  below: KeyShape | undefined;
  belowPath: string;
}

/**
 * The paths of keys that come more than once in their object (`spec.replicas`, `spec.containers[0].image`), each
 * once, in the order of the text. The text must be valid JSON.
 */
export function duplicateKeys(text: string, shape: KeyShape = EVERY_KEY): string[] {
  const found = new Set<string>();
  const levels: Level[] = [];
  let top: Level | undefined;
  let expectKey = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      const from = at;
      for (at++; text.charCodeAt(at) !== 0x22; at++) if (text.charCodeAt(at) === 0x5c) at++;
      if (expectKey && top) enterKey(top, String(JSON.parse(text.slice(from, at + 1))), found);
      expectKey = false;
    } else if (code === 0x7b || code === 0x5b) {
      if (top && !top.keys) enterElement(top);
      const above: Level | undefined = top;
      top = {
        shape: above ? above.below : shape,
        path: above ? above.belowPath : "",
        keys: code === 0x7b ? new Set() : undefined,
        index: -1,
        below: undefined,
        belowPath: "",
      };
      levels.push(top);
      expectKey = code === 0x7b;
    } else if (code === 0x7d || code === 0x5d) {
      levels.pop();
      top = levels.at(-1);
      expectKey = false;
    } else if (code === 0x2c && top) {
      if (top.keys) expectKey = true;
      else top.index++;
    }
  }
  return [...found];
}

function enterKey(level: Level, key: string, found: Set<string>): void {
  level.below = level.shape?.field(key);
  if (!level.shape) return;
  level.belowPath = level.path === "" ? key : `${level.path}.${key}`;
  if (level.keys?.has(key)) found.add(level.belowPath);
  level.keys?.add(key);
}

function enterElement(level: Level): void {
  level.below = level.shape?.element();
  level.belowPath = `${level.path}[${level.index + 1}]`;
}
