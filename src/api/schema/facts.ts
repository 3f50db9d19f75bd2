/**
 * What is known of a group version's types beyond the models of the JavaScript client. tools/schema/generate.ts joins
 * the two into the generated files; nothing else reads the tables.
 *
 * Each table is text: an entry a line, `Name: item, item`, long ones continued on lines indented deeper.
 */
export interface Facts {
  /** `core.v1`; `meta.v1` and `version` are folders without kinds of a group of their own. */
  id: string;
  /** The API group, `apps` or `rbac.authorization.k8s.io`. */
  group: string;
  /** Set where no server serves the version any more: definitions for decoding, but no TypeScript. */
  unserved?: true;
  /** False where DeleteOptions and WatchEvent are not registered. */
  deletable?: false;
  /**
   * The definitions and their protobuf fields: `Volume: 1 name, 2/1 hostPath` (2/1 is field 1 of the embedded message
   * that is field 2; `-` is a field without protobuf). A type is given where the models lack the definition or say
   * less than there is to know: `1 limits {Quantity}`, `[T]` a list, `{T}` a map; `!` after the name marks it required.
   *
   * `Pod@` is a kind of the group, `Table@meta.k8s.io/v1` of another one, `DeleteOptions@*` of every one.
   * `Role = rbac.v1` has the facts that rbac.v1 states of its Role.
   */
  messages: string;
  /**
   * How patches and server-side apply merge fields: `PodSpec: containers map(name) merge(name)`. `set`, `map(keys)`
   * and `atomic` are list types (`atomic` and `granular` map types, of maps and structs); `merge`, `merge(key)`,
   * `replace` and `retainKeys` strategic merge's.
   */
  merging?: string;
  /** Definitions that server-side apply replaces whole wherever they are. */
  atomic?: string;
  /** Closed sets of values, of the elements where the field is a list: `PodSpec: restartPolicy Always|Never`. */
  enums?: string;
  /** What an absent key of a list map counts as: `ContainerPort: protocol TCP`. */
  defaults?: string;
  /** Optional scalars whose zero value is not absence: `PodSpec: hostUsers, priority`. */
  pointers?: string;
  /** Optional lists and maps that Go writes even when they are empty: `ClusterRole: rules`. */
  keptEmpty?: string;
}
