import { posix } from "node:path";
import type { Container, Pod } from "../../../api/schema/core.v1.generated.ts";
import type { Sent } from "../../../host/grpc/messages.ts";
import { type ContainerResourceSettings, containerResources } from "../../resources/container-resources.ts";
import type { ContainerConfig, Device } from "../../runtime/cri/containers.ts";
import type { Mount } from "../../runtime/cri/shared.ts";
import { containerAnnotations, containerLabels } from "../runtime-labels.ts";
import { expand } from "./expand.ts";
import { containerSecurityContext, type SecurityDefaults } from "./security-context.ts";

export interface ContainerPlace {
  restartCount: number;
  imageRef: string;
  environment: ReadonlyMap<string, Buffer>;
  /** Of the pod's volumes and of the kubelet itself: hosts file, termination log. */
  mounts: readonly Sent<typeof Mount>[];
  devices: readonly Sent<typeof Device>[];
  fsGroups: readonly number[];
  machine: ContainerResourceSettings;
  security: SecurityDefaults;
  /** Whose processes an ephemeral container sees. */
  target?: { containerID: string };
}

export function containerConfig(
  pod: Pod,
  container: Container,
  place: ContainerPlace,
): Sent<typeof ContainerConfig> {
  const { name, image, command = [], args = [], workingDir, stdin, stdinOnce, tty } = container;
  const known = (variable: string): string | undefined => place.environment.get(variable)?.toString();
  const stopSignal = stopSignalOf(container);
  return {
    metadata: { name, attempt: place.restartCount },
    image: { image: place.imageRef, userSpecifiedImage: image },
    command: command.map((word) => expand(word, known)),
    args: args.map((word) => expand(word, known)),
    workingDir,
    envs: [...place.environment].map(([key, value]) => ({ key, value })),
    mounts: place.mounts,
    devices: place.devices,
    labels: containerLabels(pod, container),
    annotations: containerAnnotations(pod, container, place.restartCount),
    logPath: containerLogPath(name, place.restartCount),
    stdin,
    stdinOnce,
    tty,
    linux: {
      resources: containerResources(pod, container, place.machine),
      securityContext: containerSecurityContext(pod, container, place.fsGroups, place.security, place.target),
    },
    ...(stopSignal === undefined ? {} : { stopSignal }),
  };
}

/** Below the pod's log directory. */
export function containerLogPath(name: string, restartCount: number): string {
  return posix.join(name, `${restartCount}.log`);
}

/** The CRI's numbers of signals are not Linux's: SIGABRT is 1, and so on in the order of their names. */
const SIGNALS = [
  "RUNTIME_DEFAULT",
  ..."SIGABRT SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGFPE SIGHUP SIGILL SIGINT SIGIO SIGIOT SIGKILL".split(
    " ",
  ),
  ..."SIGPIPE SIGPOLL SIGPROF SIGPWR SIGQUIT SIGSEGV SIGSTKFLT SIGSTOP SIGSYS SIGTERM SIGTRAP SIGTSTP".split(
    " ",
  ),
  ..."SIGTTIN SIGTTOU SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ SIGRTMIN".split(" "),
  ...Array.from({ length: 15 }, (_, i) => `SIGRTMIN+${i + 1}`),
  ...Array.from({ length: 14 }, (_, i) => `SIGRTMAX-${14 - i}`),
  "SIGRTMAX",
];

function stopSignalOf({ lifecycle }: Container): number | undefined {
  const at = lifecycle?.stopSignal ? SIGNALS.indexOf(lifecycle.stopSignal) : -1;
  return at > 0 ? at : undefined;
}

/** How the CRI's number of a stop signal is called in a container's status. */
export function stopSignalName(signal: number): string | undefined {
  return signal > 0 ? SIGNALS[signal] : undefined;
}
