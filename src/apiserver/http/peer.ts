/** A client certificate that the TLS layer has checked against a CA of ours. */
export interface PeerCertificate {
  /** DER. */
  raw: Uint8Array;
  /** Whether it chains to the client CA; where not, it may still chain to the front proxy's. */
  authorized: boolean;
}
