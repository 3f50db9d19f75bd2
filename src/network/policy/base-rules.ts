/**
 * What the table of policies always holds. Each direction has a hook of its own, as what one lets through the other may
 * still stop:
 *
 *   forward ─▶ egress:  source among the pods whose egress is limited? ─▶ the chain of its policies, or dropped
 *           ─▶ ingress: destination among those whose ingress is?      ─▶ the chain of its policies, or dropped
 *
 * The hooks come after the proxy's translation, so that policies see pods and not services. Traffic between a pod and
 * its own node does not go through them: it is always allowed, as probes need it (upstream's promise). Nor does what a
 * connection that was allowed says later, whatever the policies have become.
 */
import { PartsBuilder } from "../../host/nftables/parts-builder.ts";
import type { TableParts } from "../../host/nftables/table-state.ts";

export function policyBase(): TableParts {
  const parts = new PartsBuilder();
  for (const [family, address] of [
    [4, "ipv4_addr"],
    [6, "ipv6_addr"],
  ] as const) {
    parts.map(`egress${family}`, `type ${address} : verdict;`);
    parts.map(`ingress${family}`, `type ${address} : verdict;`);
    // A pod cannot block access to itself.
    parts.set(`itself${family}`, `type ${address} . ${address};`);
  }
  const first = [
    "ct state established,related accept",
    "ip saddr . ip daddr @itself4 accept",
    "ip6 saddr . ip6 daddr @itself6 accept",
  ];
  parts.chain(
    "egress",
    [...first, "ip saddr vmap @egress4", "ip6 saddr vmap @egress6"],
    "type filter hook forward priority -2;",
  );
  parts.chain(
    "ingress",
    [...first, "ip daddr vmap @ingress4", "ip6 daddr vmap @ingress6"],
    "type filter hook forward priority -1;",
  );
  return parts;
}
