import type { Change, Entry, Revision, Span, Write } from "../store.ts";
import { encode, Message } from "./protobuf.ts";

/* The messages of etcd's v3 API that a Store needs, by the field numbers of etcd's rpc.proto and kv.proto. */

export const METHODS = {
  range: "/etcdserverpb.KV/Range",
  txn: "/etcdserverpb.KV/Txn",
  compact: "/etcdserverpb.KV/Compact",
  watch: "/etcdserverpb.Watch/Watch",
  leaseGrant: "/etcdserverpb.Lease/LeaseGrant",
  status: "/etcdserverpb.Maintenance/Status",
  snapshot: "/etcdserverpb.Maintenance/Snapshot",
} as const;

/** The texts by which etcd tells errors of one code apart. */
export const COMPACTED = "etcdserver: mvcc: required revision has been compacted";
export const FUTURE = "etcdserver: mvcc: required revision is a future revision";
export const TOO_LARGE = "etcdserver: request is too large";

const COMPARE_MOD = 2;
const DELETED = 1;
/** etcd takes no empty key; this is the smallest that it takes. */
const FIRST_KEY = "\0";

export function rangeRequest(span: Span, options: { limit?: number; at?: Revision } = {}): Buffer {
  return encode([
    [1, span.from || FIRST_KEY],
    [2, span.to],
    [3, options.limit],
    [4, options.at],
  ]);
}

export function getRequest(key: string): Buffer {
  return encode([[1, key]]);
}

/** Asks for nothing but the header. */
export function headerRequest(): Buffer {
  return encode([
    [1, FIRST_KEY],
    [9, true],
  ]);
}

export function readRange(bytes: Buffer): { revision: Revision; entries: Entry[]; more: boolean } {
  const message = new Message(bytes);
  return {
    revision: readRevision(message),
    entries: message.messages(2).map(readEntry),
    more: message.integer(3) === 1,
  };
}

/** Puts or deletes when the key's last revision is as expected, and reads the key when not. */
export function txnRequest({ key, value, expect }: Write, lease: bigint | undefined): Buffer {
  const compare = {
    message: [
      [2, COMPARE_MOD],
      [3, key],
      [6, expect],
    ] as const,
  };
  const put = {
    message: [
      [1, key],
      [2, value],
      [3, lease],
    ] as const,
  };
  const remove = { message: [[1, key]] as const };
  return encode([
    [1, compare],
    [2, { message: value ? [[2, put]] : [[3, remove]] }],
    [3, { message: [[1, { message: [[1, key]] }]] }],
  ]);
}

export function readTxn(bytes: Buffer): { won: boolean; revision: Revision; now: Entry | undefined } {
  const message = new Message(bytes);
  const found = message.messages(3)[0]?.message(1)?.messages(2)[0];
  return {
    won: message.integer(2) === 1,
    revision: readRevision(message),
    now: found && readEntry(found),
  };
}

export function compactRequest(upTo: Revision): Buffer {
  return encode([
    [1, upTo],
    [2, true],
  ]);
}

export function leaseRequest(seconds: number): Buffer {
  return encode([[1, seconds]]);
}

export function readLease(bytes: Buffer): bigint {
  return new Message(bytes).long(2);
}

export function watchRequest(span: Span, from: Revision): Buffer {
  const create = [
    [1, span.from || FIRST_KEY],
    [2, span.to],
    [3, from],
    [4, true],
    [6, true],
  ] as const;
  return encode([[1, { message: create }]]);
}

/** WatchRequest.progress_request, an empty message: how far has the stream come? */
export const PROGRESS_REQUEST = encode([[3, { message: [] }]]);

export interface WatchResponse {
  revision: Revision;
  created: boolean;
  canceled: boolean;
  compacted: Revision;
  reason: string;
  changes: Change[];
}

export function readWatch(bytes: Buffer): WatchResponse {
  const message = new Message(bytes);
  return {
    revision: readRevision(message),
    created: message.integer(3) === 1,
    canceled: message.integer(4) === 1,
    compacted: message.integer(5),
    reason: message.text(6),
    changes: message.messages(11).map(readChange),
  };
}

function readChange(event: Message): Change {
  const entry = readEntry(event.message(2)!);
  const before = event.message(3);
  return {
    key: entry.key,
    now: event.integer(1) === DELETED ? undefined : entry,
    was: before && readEntry(before),
    at: entry.modified,
  };
}

export function readStatus(bytes: Buffer): { revision: Revision; version: string; size: number } {
  const message = new Message(bytes);
  return { revision: readRevision(message), version: message.text(2), size: message.integer(3) };
}

export function readSnapshot(bytes: Buffer): Buffer {
  return new Message(bytes).bytes(3);
}

function readRevision(message: Message): Revision {
  return message.message(1)?.integer(3) ?? 0;
}

function readEntry(message: Message): Entry {
  return {
    key: message.text(1),
    value: message.bytes(5),
    created: message.integer(2),
    modified: message.integer(3),
  };
}
