/** `kybern join`: makes this machine a node of a cluster elsewhere. */
import { resolve } from "node:path";
import type { Layout } from "../../cluster/layout.ts";
import { DATA_DIR, layoutFromFlags } from "../data-dir.ts";
import { NODE_FLAGS, nodeFlags } from "../node-flags.ts";
import { UsageError, type Verb } from "../verb.ts";

export interface JoinRun {
  layout: Layout;
  /** `https://host:port` */
  server: string;
  token: string;
  /** `sha256:` and a digest in hexadecimal of the public key of the cluster's authority; none: any is taken. */
  caHashes: string[];
  /** What the agent is told, by the names of its flags. */
  flags: Readonly<Record<string, string>>;
}

export const joinVerb: Verb<JoinRun> = {
  name: "join",
  summary: "Make this machine a node of a cluster, by what `kybern token create` says there",
  arguments: [{ syntax: "<server>", summary: "the cluster's API server, as host:port" }],
  flags: [
    DATA_DIR,
    { syntax: "--token <token>", summary: "one of the cluster's, by which it knows this machine" },
    {
      syntax: "--discovery-token-ca-cert-hash <hash>",
      summary: "the digest of the cluster's authority, by which this machine knows it",
    },
    {
      syntax: "--discovery-token-unsafe-skip-ca-verification",
      summary: "trust whoever answers and knows the token",
    },
    ...NODE_FLAGS.map(({ syntax, summary }) => ({ syntax, summary })),
  ],
  examples: [
    [
      "As `kybern token create` says it",
      "kybern join 192.0.2.10:6443 --token abcdef.0123456789abcdef --discovery-token-ca-cert-hash sha256:1234…",
    ],
  ],
  parse(flags, [address = ""]) {
    const host = address.replace(/^https:\/\//, "");
    if (!/^(\[[0-9a-fA-F:]+\]|[^:/\s]+):[0-9]+$/.test(host))
      throw new UsageError(`the server must be host:port, not ${JSON.stringify(address)}.`);
    const { token = "" } = flags;
    if (!/^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(token))
      throw new UsageError(
        "--token must be one that `kybern token create` made, as abcdef.0123456789abcdef.",
      );
    const caHashes = (flags.discoveryTokenCaCertHash ?? "").split(",").filter(Boolean);
    if (caHashes.some((hash) => !/^sha256:[0-9a-f]{64}$/.test(hash)))
      throw new UsageError("--discovery-token-ca-cert-hash must be sha256: and 64 hexadecimal digits.");
    if (caHashes.length === 0 && flags.discoveryTokenUnsafeSkipCaVerification !== "true")
      throw new UsageError(
        "--discovery-token-ca-cert-hash is needed to know the cluster: `kybern token create` prints it.",
      );
    nodeFlags(flags);
    const given = NODE_FLAGS.flatMap(({ syntax, isPath }): [string, string][] => {
      const name = syntax.split(" ")[0]!.slice(2);
      const value = flags[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
      return value === undefined ? [] : [[name, isPath ? resolve(value) : value]];
    });
    return {
      layout: layoutFromFlags(flags),
      server: `https://${host}`,
      token,
      caHashes,
      flags: Object.fromEntries(given),
    };
  },
};
