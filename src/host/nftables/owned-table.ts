/** A table of nftables that is ours alone: nobody else is expected to write it, and where somebody does, it is made anew. */
import { type Nft, NftError, openNft } from "./nft.ts";
import { type TableParts, TableState } from "./table-state.ts";

export interface OwnedTableOptions {
  nft?: Nft;
  /** Unlike that of other tables of the network namespace. */
  name: string;
  /** What is always there. */
  base: TableParts;
  /** A word that no other process uses, by which the table is known as ours. */
  token: string;
  /** A batch was refused, and the table is made anew. */
  refused?: (error: NftError) => void;
}

export interface OwnedTable {
  /** What the owner wants in it from the next `sync` on, instead of what it wanted before. */
  claim(owner: string, parts: TableParts | undefined): void;
  /**
   * Brings the kernel to what is claimed by one transaction; the first replaces whatever a former process left. A
   * difference that is refused (somebody else changed the table) is followed by the whole. Throws where that is refused
   * too, and the next call tries again. Not to be called while another runs. Returns whether it made the table anew.
   */
  sync(): Promise<boolean>;
  /** Whether the table is there and is the one that we made. Costs little, however large it is. */
  isOurs(): Promise<boolean>;
  /** The next `sync` makes the table anew. */
  distrust(): void;
  remove(): Promise<void>;
}

const MARK = "made-by";

export function openOwnedTable(options: OwnedTableOptions): OwnedTable {
  const { nft = openNft(), name, base, token, refused } = options;
  const table = `inet ${name}`;
  const state = new TableState(table);
  state.claim("", base);
  // An element nobody looks up: deleting it on trial tells whether it is there.
  const key = `"${token}"`;
  state.claim("\u0001", {
    sets: new Map([[MARK, { kind: "set", definition: "type ifname;" }]]),
    elements: new Map([[MARK, new Map([[key, ""]])]]),
  });
  const attempt = async (): Promise<boolean | undefined> => {
    const batch = state.takeBatch();
    if (!batch) return false;
    try {
      await nft.apply(batch.text);
      batch.committed();
      return batch.whole;
    } catch (error) {
      batch.failed();
      if (batch.whole || !(error instanceof NftError)) throw error;
      refused?.(error);
      return undefined;
    }
  };
  return {
    claim: (owner, parts) => state.claim(owner, parts),
    async sync() {
      return (await attempt()) ?? (await attempt()) ?? true;
    },
    async isOurs() {
      try {
        await nft.check(`delete element ${table} ${MARK} { ${key} }\n`);
        return true;
      } catch (error) {
        if (error instanceof NftError) return false;
        throw error;
      }
    },
    distrust: () => state.distrust(),
    async remove() {
      await nft.apply(`add table ${table}\ndelete table ${table}\n`);
      state.distrust();
    },
  };
}
