/**
 * Room for many small byte arrays that are written once and live long. An ArrayBuffer of its own for each costs
 * microseconds to make and more to collect; pieces of a slab cost next to nothing. A slab goes when its last piece does,
 * so slabs are small: a piece that outlives its neighbours holds no more than one.
 */
const SIZE = 32 * 1024;
/** Pieces from this size on get memory of their own. */
const LARGE = SIZE / 4;

let slab = Buffer.allocUnsafeSlow(SIZE);
let used = 0;

/** A piece of exactly `size` bytes, not zeroed. */
export function allocate(size: number): Buffer {
  if (size >= LARGE) return Buffer.allocUnsafeSlow(size);
  if (used + size > SIZE) {
    slab = Buffer.allocUnsafeSlow(SIZE);
    used = 0;
  }
  const piece = slab.subarray(used, used + size);
  used += size;
  return piece;
}

/** A text in UTF-8. */
export function encodeText(text: string): Buffer {
  const size = Buffer.byteLength(text);
  const piece = allocate(size);
  piece.write(text);
  return piece;
}
