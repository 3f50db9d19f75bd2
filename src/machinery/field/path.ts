/**
 * Where in an object something is: `spec.containers[0].ports[1].name`. A path is a linked list towards the root, so
 * that walking a valid object builds almost nothing; the text is made only for an error.
 */
export class FieldPath {
  readonly parent: FieldPath | undefined;
  private readonly part: string | number;
  private readonly subscript: boolean;

  private constructor(parent: FieldPath | undefined, part: string | number, subscript: boolean) {
    this.parent = parent;
    this.part = part;
    this.subscript = subscript;
  }

  static root(...names: string[]): FieldPath {
    const [first, ...rest] = names;
    return new FieldPath(undefined, first ?? "", false).child(...rest);
  }

  child(...names: string[]): FieldPath {
    let path: FieldPath = this;
    for (const name of names) path = new FieldPath(path, name, false);
    return path;
  }

  index(at: number): FieldPath {
    return new FieldPath(this, at, true);
  }

  key(name: string): FieldPath {
    return new FieldPath(this, name, true);
  }

  toString(): string {
    const own = this.subscript ? `[${this.part}]` : String(this.part);
    // Of the whole object, as upstream writes it; before a name it is nothing.
    if (!this.parent) return own === "" ? "[]" : own;
    const whole = !this.parent.parent && this.parent.part === "";
    const above = whole ? "" : this.parent.toString();
    return this.subscript || whole ? above + own : `${above}.${own}`;
  }
}
