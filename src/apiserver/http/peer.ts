/**
 * A client's certificate as TLS received it. Nothing is verified here: authentication does that, once for each
 * connection, since the object is the same for every request of one.
 */
export interface PeerCertificate {
  /** DER. */
  raw: Uint8Array;
  issuerCertificate?: PeerCertificate | undefined;
}
