/** What the workers of pods share. */

import type { Service } from "../../api/core/services.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { KubeletOptions, KubeletSettings } from "../kubelet-options.ts";
import type { ResolverConfig } from "./config/dns-config.ts";
import type { StartTurns } from "./start-turns.ts";
import type { UserNamespaces } from "./user-namespaces.ts";

export interface PodContext
  extends Omit<KubeletOptions, "client" | "informers" | "settings" | "runtimeSocket" | "log"> {
  settings: KubeletSettings;
  /** The runtime's own name, `containerd`: it begins the ids of containers. */
  runtimeName: string;
  log: NonNullable<KubeletOptions["log"]>;
  /** For the steps of starting pods, of all of them together. */
  turns: StartTurns;
  /** All Services, of any namespace. */
  services(): readonly Service[];
  /** What the node can give. */
  allocatable(): Readonly<Record<string, string>>;
  /** By what configuration of the runtime the pod runs. Throws PodError. */
  runtimeHandler(pod: Pod): string;
  userNamespaces: UserNamespaces;
  /** What the node itself resolves names by. */
  nodeResolver(): Promise<ResolverConfig>;
}
