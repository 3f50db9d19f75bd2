import type { PersistentVolumeClaimSpec } from "../api/schema/core.v1.generated.ts";
import { StorageClass } from "../api/storage/storage-class.ts";
import { Quantity } from "../machinery/quantity/quantity.ts";
import { defineAdmission } from "./plugin.ts";
import { refused } from "./refusal.ts";

interface Claim {
  spec?: PersistentVolumeClaimSpec;
  status?: { phase?: string };
}

/** A claim may grow only where its class can make volumes grow. */
export const persistentVolumeClaimResize = defineAdmission({
  name: "PersistentVolumeClaimResize",
  summary: "Refuses to grow claims whose class does not allow it.",
  on: [["persistentvolumeclaims", ["UPDATE"]]],
  start: ({ reader }) => ({
    validate(request) {
      const now = request.object as Claim;
      const was = request.old as Claim;
      const asked = now.spec?.resources?.requests?.storage;
      const had = was.spec?.resources?.requests?.storage;
      if (asked === undefined || had === undefined || asked === had) return;
      if (Quantity.parse(asked).compare(Quantity.parse(had)) <= 0) return;
      if (was.status?.phase !== "Bound") {
        throw refused(request, "Only bound persistent volume claims can be expanded");
      }
      const beta = request.object?.metadata.annotations?.["volume.beta.kubernetes.io/storage-class"];
      const name = beta ?? now.spec?.storageClassName ?? "";
      const found = name === "" ? undefined : reader.get(StorageClass, "", name);
      if (found?.allowVolumeExpansion) return;
      throw refused(
        request,
        "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
      );
    },
  }),
});
