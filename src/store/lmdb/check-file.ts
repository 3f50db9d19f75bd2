import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { StoreDamaged } from "../store.ts";

/*
 * LMDB maps its file and follows what it finds there without looking twice: in a damaged file it crashes the process.
 * So before the native library may see a file, all its tree pages are walked here: every reference must stay inside the
 * file, every page be what it is referred to as and be used once, and the entries be as many as were counted. Values
 * need no look: their records have checksums of their own.
 *
 * The layout is that of the LMDB (mdb.master3) inside the npm package lmdb, little-endian, 64 bits.
 */
const HEADER = 24;
const META = {
  magic: HEADER,
  version: HEADER + 4,
  free: HEADER + 24,
  main: HEADER + 72,
  lastPage: HEADER + 120,
  txn: HEADER + 128,
};
const MAGIC = 0xbeefc0de;
const BRANCH = 1;
const LEAF = 2;
const PAGE_META = 8;
const NODE = 8;
const BIG_DATA = 1;
const NO_PAGE = 0xffffffffffffffffn;

interface Tree {
  root: bigint;
  depth: number;
  entries: number;
}

interface Meta {
  pageSize: number;
  lastPage: number;
  txn: number;
  trees: { free: Tree; main: Tree };
}

/** Throws StoreDamaged unless the file is a whole LMDB file. Takes time by the number of keys, not by their values. */
export function checkLmdbFile(path: string): void {
  const file = openSync(path, "r");
  try {
    new FileCheck(file, path).run();
  } finally {
    closeSync(file);
  }
}

class FileCheck {
  readonly #file: number;
  readonly #path: string;
  readonly #size: number;
  #meta: Meta = { pageSize: 0, lastPage: 0, txn: 0, trees: { free: none(), main: none() } };
  /** A bit for each page that was met. */
  #used = new Uint8Array();

  constructor(file: number, path: string) {
    this.#file = file;
    this.#path = path;
    this.#size = fstatSync(file).size;
  }

  run(): void {
    this.#meta = this.#newestMeta();
    const { pageSize, lastPage, trees } = this.#meta;
    if (lastPage > Number.MAX_SAFE_INTEGER / pageSize || lastPage < 1)
      throw this.#damage("its size is nonsense");
    const pages = Math.floor(this.#size / pageSize);
    this.#used = new Uint8Array((Math.min(lastPage, pages) >> 3) + 1);
    this.#mark(0);
    this.#mark(1);
    this.#walk(trees.main);
    this.#walk(trees.free, (value) => this.#freePages(value));
  }

  #newestMeta(): Meta {
    const head = this.#read(0, 4096);
    const pageSize = head.readUInt32LE(META.free);
    if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0)
      throw this.#damage("its head is damaged");
    const first = this.#readMeta(head, 0, pageSize);
    const second = this.#readMeta(this.#read(pageSize, 4096), 1, pageSize);
    // Transactions take turns at the two heads; in a fresh copy one has not been used yet.
    const apart = Math.abs(first.txn - second.txn);
    if (apart > 1 && first.txn > 0 && second.txn > 0) throw this.#damage("one of its two heads is damaged");
    return second.txn > first.txn ? second : first;
  }

  #readMeta(page: Buffer, number: number, pageSize: number): Meta {
    if (
      page.readUInt32LE(META.magic) !== MAGIC ||
      page.readBigUInt64LE(0) !== BigInt(number) ||
      (page.readUInt16LE(18) & PAGE_META) === 0 ||
      page.readUInt32LE(META.free) !== pageSize
    ) {
      throw this.#damage("its head is damaged");
    }
    return {
      pageSize,
      lastPage: Number(page.readBigUInt64LE(META.lastPage)),
      txn: Number(page.readBigUInt64LE(META.txn)),
      trees: { free: readTree(page, META.free), main: readTree(page, META.main) },
    };
  }

  /** Visits the values of a tree's leaves; those on pages of their own are only accounted for. */
  #walk(tree: Tree, leaf?: (value: Buffer) => void): void {
    if (tree.root === NO_PAGE) {
      if (tree.entries !== 0) throw this.#damage("a tree has lost its root");
      return;
    }
    let entries = 0;
    const visit = (number: bigint, depth: number): void => {
      const page = this.#page(number);
      const wanted = depth === tree.depth ? LEAF : BRANCH;
      if ((page.readUInt16LE(18) & 0xf) !== wanted) throw this.#damage(`page ${number} is of the wrong kind`);
      for (const at of this.#nodes(page, number)) {
        if (wanted === BRANCH) {
          const low = BigInt(page.readUInt32LE(at));
          visit(low | (BigInt(page.readUInt16LE(at + 4)) << 32n), depth + 1);
        } else {
          entries++;
          this.#leafNode(page, at, number, leaf);
        }
      }
    };
    if (tree.depth < 1 || tree.depth > 32) throw this.#damage("a tree's depth is nonsense");
    visit(tree.root, 1);
    if (entries !== tree.entries)
      throw this.#damage(`${tree.entries} entries were counted and ${entries} found`);
  }

  #leafNode(page: Buffer, at: number, number: bigint, leaf?: (value: Buffer) => void): void {
    const size = page.readUInt32LE(at);
    const flags = page.readUInt16LE(at + 4);
    const start = at + NODE + page.readUInt16LE(at + 6);
    const { pageSize } = this.#meta;
    if ((flags & ~BIG_DATA) !== 0) throw this.#damage(`page ${number} has a node of an unknown kind`);
    if ((flags & BIG_DATA) === 0) {
      if (start + size > pageSize) throw this.#damage(`page ${number} has a node that reaches beyond it`);
      leaf?.(page.subarray(start, start + size));
      return;
    }
    if (start + 24 > pageSize) throw this.#damage(`page ${number} has a node that reaches beyond it`);
    const first = page.readBigUInt64LE(start);
    const count = Math.floor((HEADER - 1 + size) / pageSize) + 1;
    if (Number(page.readBigUInt64LE(start + 16)) !== count)
      throw this.#damage(`page ${number} counts pages wrongly`);
    for (let i = 0; i < count; i++) this.#mark(Number(first) + i);
    if ((Number(first) + count) * pageSize > this.#size) throw this.#cut();
    leaf?.(this.#read(Number(first) * pageSize + HEADER, size));
  }

  /** Where the nodes of a page begin, checked to be inside it. */
  #nodes(page: Buffer, number: bigint): number[] {
    const { pageSize } = this.#meta;
    const lower = page.readUInt16LE(20);
    const upper = page.readUInt16LE(22);
    if (lower > upper || upper + HEADER > pageSize || (lower & 1) !== 0 || lower === 0) {
      throw this.#damage(`the head of page ${number} is damaged`);
    }
    const nodes: number[] = [];
    for (let i = 0; i < lower; i += 2) {
      const at = page.readUInt16LE(HEADER + i) + HEADER;
      const inside = at >= upper + HEADER && at + NODE <= pageSize && (at & 1) === 0;
      if (!inside || at + NODE + page.readUInt16LE(at + 6) > pageSize) {
        throw this.#damage(`page ${number} has a node that reaches beyond it`);
      }
      nodes.push(at);
    }
    return nodes;
  }

  #page(number: bigint): Buffer {
    this.#mark(Number(number));
    const page = this.#read(Number(number) * this.#meta.pageSize, this.#meta.pageSize);
    if (page.readBigUInt64LE(0) !== number || page.readBigUInt64LE(8) > BigInt(this.#meta.txn)) {
      throw this.#damage(`page ${number} is not the one it should be`);
    }
    return page;
  }

  /** A list of free pages: its length, then page numbers; a negative number makes a run of the one that follows. */
  #freePages(value: Buffer): void {
    const count = value.length >= 8 ? Number(value.readBigInt64LE(0)) : -1;
    if (count < 0 || (count + 1) * 8 > value.length) throw this.#damage("a list of free pages is damaged");
    for (let i = 1, run = 1; i <= count; i++) {
      const number = Number(value.readBigInt64LE(i * 8));
      if (number < 0) {
        run = -number;
        if (run > this.#meta.lastPage) throw this.#damage("a list of free pages is damaged");
        continue;
      }
      // 0 is a place in the list that is not taken.
      for (let page = number; number > 0 && page < number + run; page++) this.#mark(page, "free");
      run = 1;
    }
  }

  #mark(number: number, as = "used"): void {
    if (number > this.#meta.lastPage) throw this.#damage(`page ${number} is beyond the last one`);
    // Free pages at the end need not be in the file.
    if (number >> 3 >= this.#used.length) {
      if (as === "free") return;
      throw this.#cut();
    }
    const bit = 1 << (number & 7);
    if ((this.#used[number >> 3]! & bit) !== 0) throw this.#damage(`page ${number} is used twice`);
    this.#used[number >> 3]! |= bit;
  }

  #read(at: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    if (at + length > this.#size || readSync(this.#file, bytes, 0, length, at) !== length) throw this.#cut();
    return bytes;
  }

  #cut(): StoreDamaged {
    return this.#damage("it is cut short");
  }

  #damage(what: string): StoreDamaged {
    return new StoreDamaged(
      `the store's file ${this.#path} is damaged (${what}): put a copy of it back, or move it away to begin anew`,
    );
  }
}

function none(): Tree {
  return { root: NO_PAGE, depth: 0, entries: 0 };
}

function readTree(page: Buffer, at: number): Tree {
  return {
    depth: page.readUInt16LE(at + 6),
    entries: Number(page.readBigUInt64LE(at + 32)),
    root: page.readBigUInt64LE(at + 40),
  };
}
