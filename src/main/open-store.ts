import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ServerRun } from "../cli/verbs/server.ts";
import type { Store } from "../store/store.ts";

/**
 * The store that a server runs on; only the backend that is used is loaded. `refused` is told when the embedded store
 * could not write to its disk.
 */
export async function openStore(
  { store, dataDir }: Pick<ServerRun, "store" | "dataDir">,
  refused: () => void,
): Promise<Store> {
  switch (store.kind) {
    case "memory": {
      const { openMemory } = await import("../store/memory/open-memory.ts");
      return openMemory();
    }
    case "lmdb": {
      const { openLmdb } = await import("../store/lmdb/open-lmdb.ts");
      return openLmdb({ directory: join(dataDir, "store"), refused });
    }
    default: {
      const { openEtcd } = await import("../store/etcd/open-etcd.ts");
      const text = (path: string | undefined) => (path === undefined ? undefined : readFile(path, "utf8"));
      const [ca, cert, key] = await Promise.all([text(store.ca), text(store.cert), text(store.key)]);
      return openEtcd({ endpoints: store.endpoints, tls: ca || cert || key ? { ca, cert, key } : undefined });
    }
  }
}
