/** The controllers in the process of the API server: over the in-process transport, known by their certificate. */

import type { Handler } from "../apiserver/handler.ts";
import { dispatchTo } from "../apiserver/http/dispatch.ts";
import type { Clock } from "../base/clock.ts";
import { UsageError } from "../cli/verb.ts";
import type { Informers } from "../client/informer/informers.ts";
import { InProcessTransport } from "../client/transports/in-process-transport.ts";
import { derOf } from "../cluster/pki/certificate.ts";
import type { PKI } from "../cluster/pki/ensure-pki.ts";
import { chosenControllers, UnknownController } from "../controllers/choose.ts";
import { controllers as allControllers } from "../controllers/index.ts";
import type { ControllerSettings } from "../controllers/runtime/controller.ts";
import { startAllControllers } from "../controllers/start.ts";
import { logLine } from "./log.ts";

/** Milliseconds that the server's start waits for them at the most. */
const READY_WITHIN = 2000;

export interface RunningControllers {
  /** What they read by, for other components of the process. */
  informers: Informers;
  /** Resolves when the default namespace can take pods, or when that takes too long, which is logged. */
  ready: Promise<void>;
  /** Acts with the controllers' new certificate from now on. */
  renew(pki: PKI): void;
  /** For /metrics. */
  exposition(): string;
  stop(): Promise<void>;
}

/** What the command line says of them. */
type ControllersRun = Pick<ControllerSettings, "clusterCIDRs" | "serviceCIDRs" | "loadBalancerRanges"> & {
  controllers: readonly string[];
};

/** Throws UsageError where a controller is chosen that is none. */
export function runControllers(
  handler: Handler,
  pki: PKI,
  clock: Clock,
  run: ControllersRun,
): RunningControllers {
  const { clusterCIDRs, serviceCIDRs, loadBalancerRanges } = run;
  const { ca, serviceAccount } = pki;
  const settings = {
    rootCA: ca.certificate,
    // An operator may keep the authority's key elsewhere.
    ...(ca.key !== "" && { signer: ca }),
    serviceAccountKey: serviceAccount.privateKey,
    clusterCIDRs,
    serviceCIDRs,
    loadBalancerRanges,
  };
  let certificate = { raw: derOf(pki.controllerManager.certificate) };
  const choice = checked(run.controllers);
  const controllers = startAllControllers({
    transport: new InProcessTransport(dispatchTo(handler, () => certificate)),
    bare: new InProcessTransport(dispatchTo(handler)),
    clock,
    random: Math.random,
    settings,
    choice,
    log: logLine,
  });
  const late = Promise.withResolvers<void>();
  const cancel = clock.setTimer(READY_WITHIN, () => {
    logLine("warn", "the default namespace has no service account yet: pods there are refused until it has");
    late.resolve();
  });
  const ready = Promise.race([controllers.ready, late.promise]).finally(cancel);
  return {
    informers: controllers.informers,
    ready,
    renew({ controllerManager }) {
      certificate = { raw: derOf(controllerManager.certificate) };
    },
    exposition: controllers.exposition,
    stop: controllers.stop,
  };
}

function checked(choice: readonly string[]): readonly string[] {
  try {
    chosenControllers(allControllers, choice);
    return choice;
  } catch (error) {
    if (!(error instanceof UnknownController)) throw error;
    throw new UsageError(`--controllers: ${error.message}; \`kybern controllers\` lists them all.`);
  }
}
