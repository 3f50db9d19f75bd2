import { Lease } from "./lease.ts";

export { Lease };
export const resources = [Lease];
