/** The owners of which it was last found out that they are gone: uids never come back. */
const REMEMBERED = 2048;

export class AbsentOwners {
  private readonly known = new Set<string>();

  /** `namespace`: from where it was looked for. None: it is nowhere. */
  add(uid: string, namespace?: string): void {
    if (this.known.size >= REMEMBERED) {
      const [oldest] = this.known;
      this.known.delete(oldest!);
    }
    this.known.add(namespace === undefined ? uid : `${uid} ${namespace}`);
  }

  has(uid: string, namespace: string): boolean {
    return this.known.has(uid) || this.known.has(`${uid} ${namespace}`);
  }
}
