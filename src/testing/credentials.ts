/** The keys and certificates of a cluster that lives as long as a test; no file is written. */
import { createPublicKey } from "node:crypto";
import {
  derOf,
  issueCertificate,
  type KeyPair,
  keyToPEM,
  LEAF_DAYS,
  makeAuthority,
  makePrivateKey,
  validity,
} from "../cluster/pki/certificate.ts";
import { issueClientCertificate } from "../cluster/pki/issue-client-certificate.ts";

export interface TestCredentials {
  ca: KeyPair;
  admin: KeyPair;
  controllerManager: KeyPair;
  scheduler: KeyPair;
  serviceAccount: { privateKey: string; publicKey: string };
  /** Made at the first call: only clusters with a port need it. */
  serving(): KeyPair;
}

export function makeCredentials(now: Date): TestCredentials {
  const ca = makeAuthority("kubernetes", now);
  const privateKey = makePrivateKey();
  return {
    ca,
    admin: issueClientCertificate({ ca, name: "kubernetes-admin", groups: ["system:masters"], now }),
    controllerManager: issueClientCertificate({ ca, name: "system:kube-controller-manager", now }),
    scheduler: issueClientCertificate({ ca, name: "system:kube-scheduler", now }),
    serviceAccount: { privateKey: keyToPEM(privateKey), publicKey: keyToPEM(createPublicKey(privateKey)) },
    serving: () =>
      issueCertificate(ca, {
        subject: { commonName: "kube-apiserver" },
        usage: "server",
        ...validity(now, LEAF_DAYS),
        dnsNames: ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
        addresses: ["127.0.0.1", "::1"],
      }),
  };
}

/** What a client shows of its certificate, as TLS would receive it. One object for all its requests. */
export function shown({ certificate }: KeyPair): { raw: Uint8Array } {
  return { raw: derOf(certificate) };
}
