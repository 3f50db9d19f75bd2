import { PriorityClass } from "./priority-class.ts";

export { PriorityClass };
export const resources = [PriorityClass];
