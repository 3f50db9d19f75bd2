import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEtcd } from "../../../src/store/etcd/open-etcd.ts";
import { noEtcd, startEtcd } from "../../../src/store/etcd/real-etcd.ts";
import { openLmdb } from "../../../src/store/lmdb/open-lmdb.ts";
import { openMemory } from "../../../src/store/memory/open-memory.ts";
import { coreCases } from "./core-cases.ts";

const temporary = (): Promise<string> => mkdtemp(join(tmpdir(), "kybern-core-"));

coreCases("memory", async () => ({ store: await openMemory(), cleanUp: async () => {} }));

coreCases("lmdb", async () => {
  const directory = await temporary();
  const store = await openLmdb({ directory });
  return { store, cleanUp: () => rm(directory, { recursive: true, force: true }) };
});

coreCases(
  "etcd",
  async () => {
    const folder = await temporary();
    const etcd = await startEtcd(folder);
    const store = await openEtcd({ endpoints: [etcd.endpoint] });
    return {
      store,
      cleanUp: async () => {
        await etcd.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
  noEtcd,
);
