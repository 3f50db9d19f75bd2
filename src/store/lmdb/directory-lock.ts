import { join } from "node:path";
import { lockFile } from "../../host/file-lock.ts";
import { StoreUnavailable } from "../store.ts";

/** Makes this process the only one that uses a store's directory. */
export function lockDirectory(directory: string): () => void {
  const unlock = lockFile(join(directory, "lock"));
  if (unlock) return unlock;
  throw new StoreUnavailable(
    `the store in ${directory} is in use by another process: stop it, or choose another data directory`,
  );
}
