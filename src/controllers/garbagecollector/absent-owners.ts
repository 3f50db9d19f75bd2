/** The owners of which it was last found out that they are gone: uids never come back. */
import type { OwnerReference } from "../../api/object.ts";

const REMEMBERED = 2048;

export class AbsentOwners {
  private readonly known = new Set<string>();

  /** It was seen to go: whatever else a reference to it says. */
  gone(uid: string): void {
    this.add(uid);
  }

  /** The server has it not; it may have the uid under another name, or in another namespace. */
  notFound(owner: OwnerReference, namespace: string): void {
    this.add(keyOf(owner, namespace));
  }

  has(owner: OwnerReference, namespace: string): boolean {
    return this.known.has(owner.uid) || this.known.has(keyOf(owner, namespace));
  }

  private add(key: string): void {
    if (this.known.size >= REMEMBERED) {
      const [oldest] = this.known;
      this.known.delete(oldest!);
    }
    this.known.add(key);
  }
}

function keyOf({ apiVersion, kind, name, uid }: OwnerReference, namespace: string): string {
  return `${apiVersion} ${kind} ${namespace} ${name} ${uid}`;
}
