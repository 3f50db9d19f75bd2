import { PodDisruptionBudget } from "./pod-disruption-budget.ts";

export { PodDisruptionBudget };
export const resources = [PodDisruptionBudget];
