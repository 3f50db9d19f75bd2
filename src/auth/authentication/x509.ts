/** Client certificates: the common name is the user, the organizations are its groups. */
import { createHash } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { OID } from "../../base/x509/certificate.ts";
import {
  EXTRA,
  type Finding,
  frozenUser,
  type PeerCertificate,
  type RequestMethod,
  withAuthenticatedGroup,
} from "./method.ts";
import { readAuthorities, type Verified, verifyClientCertificate } from "./verify-certificate.ts";

/** Where a certificate names the uid of its user (upstream: plugin x509, AllowParsingUserUIDFromCertAuth). */
const USER_UID = "1.3.6.1.4.1.57683.2";

const EXPIRED: Finding = { refused: "the client certificate has expired or is not valid yet" };
const UNKNOWN: Finding = { refused: "the client certificate is not signed by a known authority for clients" };

interface Known {
  finding: Finding;
  from: number;
  until: number;
}

export interface X509Method extends RequestMethod {
  /** Takes another bundle of authorities, and forgets what it knew. */
  trust(bundle: string): void;
}

export function x509Method(options: { bundle: string; clock: Clock }): X509Method {
  let authorities = readAuthorities(options.bundle);
  let known = new WeakMap<PeerCertificate, Known>();
  return {
    authenticate({ peerCertificate }) {
      if (!peerCertificate) return undefined;
      let entry = known.get(peerCertificate);
      if (!entry) {
        entry = judge(peerCertificate, verifyClientCertificate(peerCertificate, authorities));
        known.set(peerCertificate, entry);
      }
      const now = options.clock.now();
      return now >= entry.from && now <= entry.until ? entry.finding : EXPIRED;
    },
    trust(bundle) {
      authorities = readAuthorities(bundle);
      known = new WeakMap();
    },
  };
}

function judge({ raw }: PeerCertificate, verified: Verified | undefined): Known {
  if (!verified) return { finding: UNKNOWN, from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };
  const { from, until, certificate } = verified;
  const valuesOf = (type: string) => certificate.subject.filter((attribute) => attribute.type === type);
  const name = valuesOf(OID.commonName).at(-1)?.text ?? "";
  if (name === "") return { finding: undefined, from, until };
  const uids = valuesOf(USER_UID);
  const uid = uids[0]?.text;
  if (uids.length > 1)
    return { finding: { refused: "the client certificate has more than one user uid" }, from, until };
  if (uids.length === 1 && !uid) {
    return { finding: { refused: "the user uid of the client certificate is not text" }, from, until };
  }
  const fingerprint = createHash("sha256").update(raw).digest("hex");
  const user = frozenUser({
    name,
    ...(uid ? { uid } : {}),
    groups: valuesOf(OID.organization).flatMap(({ text }) => (text === undefined ? [] : [text])),
    extra: { [EXTRA.credentialID]: [`X509SHA256=${fingerprint}`] },
  });
  return { finding: { user: withAuthenticatedGroup(user) }, from, until };
}
