import { CustomResourceDefinition } from "./custom-resource-definition.ts";

export { CustomResourceDefinition };
export const resources = [CustomResourceDefinition];
