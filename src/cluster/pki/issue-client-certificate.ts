import type { KeyPair } from "./certificate.ts";
import { issueCertificate, LEAF_DAYS, validity } from "./certificate.ts";

/** A client certificate of the cluster: the common name is the user, the organizations are its groups. */
export function issueClientCertificate(request: {
  ca: KeyPair;
  name: string;
  groups?: readonly string[];
  now: Date;
  days?: number;
}): KeyPair {
  const { ca, name, groups, now, days = LEAF_DAYS } = request;
  return issueCertificate(ca, {
    subject: { commonName: name, organizations: groups },
    usage: "client",
    ...validity(now, days),
  });
}
