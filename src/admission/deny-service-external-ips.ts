import type { ServiceSpec } from "../api/schema/core.v1.generated.ts";
import { defineAdmission } from "./plugin.ts";
import { refused } from "./refusal.ts";

/** Who may set a service's external IPs could take over other people's traffic (CVE-2020-8554). */
export const denyServiceExternalIPs = defineAdmission({
  name: "DenyServiceExternalIPs",
  summary: "Refuses new external IPs of services.",
  on: [["services", ["CREATE", "UPDATE"]]],
  start: () => ({
    validate(request) {
      const now = (request.object as { spec?: ServiceSpec }).spec?.externalIPs ?? [];
      const before = (request.old as { spec?: ServiceSpec } | undefined)?.spec?.externalIPs ?? [];
      if (now.every((ip) => before.includes(ip))) return;
      throw refused(request, "Use of external IPs is denied by admission control");
    },
  }),
});
