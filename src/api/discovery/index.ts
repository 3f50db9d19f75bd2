import { EndpointSlice } from "./endpoint-slice.ts";

export { EndpointSlice };
export const resources = [EndpointSlice];
