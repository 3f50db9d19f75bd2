import { DeviceClass } from "./device-class.ts";
import { ResourceClaim } from "./resource-claim.ts";
import { ResourceClaimTemplate } from "./resource-claim-template.ts";
import { ResourceSlice } from "./resource-slice.ts";

export { DeviceClass, ResourceClaim, ResourceClaimTemplate, ResourceSlice };
export const resources = [DeviceClass, ResourceClaim, ResourceClaimTemplate, ResourceSlice];
