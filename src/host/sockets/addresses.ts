/** Addresses of sockets, as people mean them: Go, and so Kubernetes, takes both families for one where that is open. */
const EVERYWHERE = new Set(["0.0.0.0", "::"]);
const MAPPED = "::ffff:";

/**
 * For Node's `listen`: undefined, which is every address of the machine in both families (IPv4 alone where the kernel has
 * no IPv6), for either unspecified address.
 */
export function listenHost(address: string): string | undefined {
  return EVERYWHERE.has(address) ? undefined : address;
}

/** Who is at the other end: an IPv4 address as such also where the socket is for both families. Empty where nobody is. */
export function peerAddress({ remoteAddress = "" }: { remoteAddress?: string | undefined }): string {
  return remoteAddress.startsWith(MAPPED) ? remoteAddress.slice(MAPPED.length) : remoteAddress;
}
