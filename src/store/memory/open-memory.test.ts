import { storeContract } from "../contract.ts";
import { openMemory } from "./open-memory.ts";

storeContract(
  "memory",
  async ({ clock }) => ({
    store: await openMemory({ clock }),
    openCopy: (snapshot) => openMemory({ clock, snapshot }),
  }),
  { embedded: true },
);
