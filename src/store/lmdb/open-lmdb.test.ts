import { join } from "node:path";
import { storeContract } from "../contract.ts";
import { openLmdb, restoreLmdb } from "./open-lmdb.ts";

storeContract(
  "lmdb",
  async ({ clock, folder }) => {
    const directory = join(folder, "store");
    return {
      store: await openLmdb({ clock, directory }),
      reopen: () => openLmdb({ clock, directory }),
      openCopy: async (snapshot) => {
        const copy = join(folder, "copy");
        await restoreLmdb({ snapshot, directory: copy });
        return openLmdb({ clock, directory: copy });
      },
    };
  },
  { embedded: true },
);
