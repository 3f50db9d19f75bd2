import { FlowSchema } from "./flow-schema.ts";
import { PriorityLevelConfiguration } from "./priority-level-configuration.ts";

export { FlowSchema, PriorityLevelConfiguration };
export const resources = [FlowSchema, PriorityLevelConfiguration];
