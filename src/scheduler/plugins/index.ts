/** Every plugin, in the order of upstream's default profile (pkg/scheduler/apis/config/v1/default_plugins.go). */
import type { PluginDeclaration } from "../framework/plugin.ts";
import { nodeUnschedulable } from "./node-unschedulable.ts";

export const plugins: readonly PluginDeclaration[] = [nodeUnschedulable];
