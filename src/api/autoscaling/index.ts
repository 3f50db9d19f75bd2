import { HorizontalPodAutoscaler } from "./horizontal-pod-autoscaler.ts";

export { HorizontalPodAutoscaler };

export const autoscalingResources = [HorizontalPodAutoscaler];
