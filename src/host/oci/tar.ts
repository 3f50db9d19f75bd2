/** Tar archives (POSIX ustar) in memory: what the layers and the archives of container images are. */

export interface TarEntry {
  /** Without a slash before it. */
  path: string;
  /** Permission bits; by default those that everybody may read and run. */
  mode?: number;
  /** A file's bytes; an entry with neither content nor a link is a directory. */
  content?: Uint8Array;
  /** What a symbolic link says. */
  linkTo?: string;
}

const BLOCK = 512;

/** Every time is 1970, every owner root: the same entries give the same bytes. Throws where a path is too long. */
export function tar(entries: readonly TarEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const content = entry.content ?? new Uint8Array();
    parts.push(header(entry, content.length), content);
    const rest = content.length % BLOCK;
    if (rest > 0) parts.push(new Uint8Array(BLOCK - rest));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  return Buffer.concat(parts);
}

function header({ path, mode = 0o755, content, linkTo }: TarEntry, size: number): Uint8Array {
  const block = Buffer.alloc(BLOCK);
  const type = linkTo !== undefined ? "2" : content ? "0" : "5";
  const name = type === "5" ? `${path.replace(/\/$/, "")}/` : path;
  if (Buffer.byteLength(name) > 100 || Buffer.byteLength(linkTo ?? "") > 100)
    throw new Error(`${name} is too long for a tar entry`);
  const octal = (value: number, at: number, digits: number): void => {
    block.write(`${value.toString(8).padStart(digits, "0")}\0`, at, "latin1");
  };
  block.write(name, 0);
  octal(mode, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(0, 136, 11);
  block.fill(" ", 148, 156);
  block.write(type, 156, "latin1");
  block.write(linkTo ?? "", 157);
  block.write("ustar\x0000", 257, "latin1");
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return block;
}
