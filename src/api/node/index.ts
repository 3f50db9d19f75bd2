import { RuntimeClass } from "./runtime-class.ts";

export { RuntimeClass };
export const resources = [RuntimeClass];
