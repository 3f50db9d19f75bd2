/** Who keeps the control groups of this machine: the container runtime says so. */
import type { GrpcError } from "../../host/grpc/grpc-client.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { CgroupDriver as Told } from "../runtime/cri/runtime.ts";
import type { CgroupDriver } from "./group-names.ts";

const UNIMPLEMENTED = 12;

/** What a runtime tells of its own configuration where the call for the driver is newer than it is (containerd 1.x). */
interface RuntimeConfiguration {
  containerd?: {
    defaultRuntimeName?: string;
    runtimes?: Record<string, { options?: { SystemdCgroup?: boolean } } | undefined>;
  };
}

export async function cgroupDriverOf(
  runtime: Pick<ContainerRuntime, "runtimeConfig" | "status">,
): Promise<CgroupDriver> {
  try {
    const { linux } = await runtime.runtimeConfig({});
    return linux?.cgroupDriver === Told.SYSTEMD ? "systemd" : "cgroupfs";
  } catch (error) {
    if ((error as GrpcError).code !== UNIMPLEMENTED) throw error;
  }
  const { info } = await runtime.status({ verbose: true });
  return driverOfConfiguration(info.get("config") ?? "");
}

/** From the JSON that containerd tells of itself. */
export function driverOfConfiguration(text: string): CgroupDriver {
  let told: RuntimeConfiguration;
  try {
    told = JSON.parse(text) as RuntimeConfiguration;
  } catch {
    return "cgroupfs";
  }
  const { defaultRuntimeName = "runc", runtimes = {} } = told.containerd ?? {};
  const chosen = Object.hasOwn(runtimes, defaultRuntimeName) ? runtimes[defaultRuntimeName] : undefined;
  return chosen?.options?.SystemdCgroup === true ? "systemd" : "cgroupfs";
}
