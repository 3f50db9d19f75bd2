import {
  bool,
  bytes,
  integer,
  long,
  message,
  type Received,
  repeated,
  string,
  sub,
} from "../../host/grpc/messages.ts";
import type { Change, Entry, Revision, Span, Write } from "../store.ts";

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

const ResponseHeader = message({ revision: integer(3) });
const KeyValue = message({ key: string(1), created: integer(2), modified: integer(3), value: bytes(5) });
type KeyValue = Received<typeof KeyValue>;

const RangeRequest = message({
  key: string(1),
  rangeEnd: string(2),
  limit: integer(3),
  revision: integer(4),
  countOnly: bool(9),
});
const RangeResponse = message({ header: sub(1, ResponseHeader), kvs: repeated(2, KeyValue), more: bool(3) });

const Compare = message({ target: integer(2), key: string(3), modRevision: integer(6) });
const PutRequest = message({ key: string(1), value: bytes(2), lease: long(3) });
const RequestOp = message({
  range: sub(1, RangeRequest),
  put: sub(2, PutRequest),
  deleteRange: sub(3, message({ key: string(1) })),
});
const TxnRequest = message({
  compare: repeated(1, Compare),
  success: repeated(2, RequestOp),
  failure: repeated(3, RequestOp),
});
const TxnResponse = message({
  header: sub(1, ResponseHeader),
  succeeded: bool(2),
  responses: repeated(3, message({ range: sub(1, RangeResponse) })),
});

const CompactionRequest = message({ revision: integer(1), physical: bool(2) });
const LeaseGrantRequest = message({ seconds: integer(1) });
const LeaseGrantResponse = message({ id: long(2) });
const StatusResponse = message({ header: sub(1, ResponseHeader), version: string(2), size: integer(3) });
const SnapshotResponse = message({ blob: bytes(3) });

const WatchRequest = message({
  create: sub(
    1,
    message({
      key: string(1),
      rangeEnd: string(2),
      startRevision: integer(3),
      progressNotify: bool(4),
      previous: bool(6),
    }),
  ),
  progress: sub(3, message({})),
});
const Event = message({ type: integer(1), now: sub(2, KeyValue), was: sub(3, KeyValue) });
const WatchAnswer = message({
  header: sub(1, ResponseHeader),
  created: bool(3),
  canceled: bool(4),
  compacted: integer(5),
  reason: string(6),
  events: repeated(11, Event),
});

export function rangeRequest(span: Span, options: { limit?: number; at?: Revision } = {}): Buffer {
  const { limit, at } = options;
  return RangeRequest.encode({ key: span.from || FIRST_KEY, rangeEnd: span.to, limit, revision: at });
}

export function getRequest(key: string): Buffer {
  return RangeRequest.encode({ key });
}

/** Asks for nothing but the header. */
export function headerRequest(): Buffer {
  return RangeRequest.encode({ key: FIRST_KEY, countOnly: true });
}

export function readRange(bytes: Buffer): { revision: Revision; entries: Entry[]; more: boolean } {
  const { header, kvs, more } = RangeResponse.decode(bytes);
  return { revision: header?.revision ?? 0, entries: kvs, more };
}

/** Puts or deletes when the key's last revision is as expected, and reads the key when not. */
export function txnRequest({ key, value, expect }: Write, lease: bigint | undefined): Buffer {
  return TxnRequest.encode({
    compare: [{ target: COMPARE_MOD, key, modRevision: expect }],
    success: [value ? { put: { key, value, lease } } : { deleteRange: { key } }],
    failure: [{ range: { key } }],
  });
}

export function readTxn(bytes: Buffer): { won: boolean; revision: Revision; now: Entry | undefined } {
  const { header, succeeded, responses } = TxnResponse.decode(bytes);
  return { won: succeeded, revision: header?.revision ?? 0, now: responses[0]?.range?.kvs[0] };
}

export function compactRequest(upTo: Revision): Buffer {
  return CompactionRequest.encode({ revision: upTo, physical: true });
}

export function leaseRequest(seconds: number): Buffer {
  return LeaseGrantRequest.encode({ seconds });
}

export function readLease(bytes: Buffer): bigint {
  return LeaseGrantResponse.decode(bytes).id;
}

export function watchRequest(span: Span, from: Revision): Buffer {
  return WatchRequest.encode({
    create: {
      key: span.from || FIRST_KEY,
      rangeEnd: span.to,
      startRevision: from,
      progressNotify: true,
      previous: true,
    },
  });
}

/** How far has the stream come? */
export const PROGRESS_REQUEST = WatchRequest.encode({ progress: {} });

export interface WatchResponse {
  revision: Revision;
  created: boolean;
  canceled: boolean;
  compacted: Revision;
  reason: string;
  changes: Change[];
}

export function readWatch(bytes: Buffer): WatchResponse {
  const { header, events, ...rest } = WatchAnswer.decode(bytes);
  return { ...rest, revision: header?.revision ?? 0, changes: events.map(readChange) };
}

function readChange({ type, now, was }: Received<typeof Event>): Change {
  const entry: KeyValue = now ?? KeyValue.decode(Buffer.alloc(0));
  return { key: entry.key, now: type === DELETED ? undefined : entry, was, at: entry.modified };
}

export function readStatus(bytes: Buffer): { revision: Revision; version: string; size: number } {
  const { header, version, size } = StatusResponse.decode(bytes);
  return { revision: header?.revision ?? 0, version, size };
}

export function readSnapshot(bytes: Buffer): Buffer {
  return SnapshotResponse.decode(bytes).blob;
}
