/**
 * Room for many small byte arrays that are written once and live long. An ArrayBuffer of its own for each costs
 * microseconds to make and more to collect; pieces of a slab cost next to nothing. A slab goes when its last piece does,
 * so slabs are small: a piece that outlives its neighbours holds no more than one.
 */
const SIZE = 32 * 1024;
/** Pieces from this size on get memory of their own. */
const LARGE = SIZE / 4;

/** Pieces that live about as long as each other come from one Slab: what stays must not hold what goes. */
export class Slab {
  private room: Buffer | undefined;
  private used = 0;

  /** A piece of exactly `size` bytes, not zeroed. */
  allocate(size: number): Buffer {
    if (size >= LARGE) return Buffer.allocUnsafeSlow(size);
    if (this.room === undefined || this.used + size > SIZE) {
      this.room = Buffer.allocUnsafeSlow(SIZE);
      this.used = 0;
    }
    const piece = this.room.subarray(this.used, this.used + size);
    this.used += size;
    return piece;
  }

  /** A text in UTF-8. */
  encode(text: string): Buffer {
    const size = Buffer.byteLength(text);
    const piece = this.allocate(size);
    piece.write(text);
    return piece;
  }
}
