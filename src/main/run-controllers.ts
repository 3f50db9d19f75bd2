/** The controllers in the process of the API server: over the in-process transport, known by their certificate. */

import { ServiceAccount } from "../api/core/service-account.ts";
import type { Handler } from "../apiserver/handler.ts";
import { dispatchTo } from "../apiserver/http/dispatch.ts";
import type { Clock } from "../base/clock.ts";
import { NODES } from "../cli/cluster-flags.ts";
import { NODE_COMPONENTS } from "../cli/node-flags.ts";
import { UsageError } from "../cli/verb.ts";
import type { ServerRun } from "../cli/verbs/server.ts";
import { openClient } from "../client/client.ts";
import { Informer } from "../client/informer/informer.ts";
import type { Informers } from "../client/informer/informers.ts";
import { InProcessTransport } from "../client/transports/in-process-transport.ts";
import { derOf } from "../cluster/pki/certificate.ts";
import type { PKI } from "../cluster/pki/ensure-pki.ts";
import { chosenControllers, UnknownController } from "../controllers/choose.ts";
import { type NodePlaces, nodeCloud } from "../controllers/cloud/node-load-balancers.ts";
import { controllers as allControllers } from "../controllers/index.ts";
import { type Controllers, startAllControllers } from "../controllers/start.ts";
import { nodeAddresses } from "../host/machine/addresses.ts";
import { isPortFree } from "../host/machine/port-free.ts";
import type { LeaderElections, Term } from "./leader-elections.ts";
import { logLine } from "./log.ts";

/** Milliseconds that the server's start waits for them at the most. */
const READY_WITHIN = 2000;
/** The lease's, and the program's. */
const NAME = "kube-controller-manager";
/** Of nodes' own programs. */
const SSH = 22;
const DNS_PORT = 10_053;
const DNS_METRICS_PORT = 9153;
const VXLAN_PORT = 8472;
const LOOPBACK = "127.0.0.1";

export interface RunningControllers {
  /** What they read by, for other components of the process; undefined where they come and go by election. */
  informers: Informers | undefined;
  /** Resolves when the default namespace can take pods, or when that takes too long, which is logged. */
  ready: Promise<void>;
  /** Acts with the controllers' new certificate from now on. */
  renew(pki: PKI): void;
  /** For /metrics. */
  exposition(): string;
  stop(): Promise<void>;
}

/** What the command line says of them. */
type ControllersRun = Pick<
  ServerRun,
  | "clusterCIDRs"
  | "serviceCIDRs"
  | "loadBalancerRanges"
  | "controllers"
  | "components"
  | "node"
  | "securePort"
>;

/** Throws UsageError where a controller is chosen that is none. */
export function runControllers(
  handler: Handler,
  pki: PKI,
  clock: Clock,
  run: ControllersRun,
  elections?: LeaderElections,
): RunningControllers {
  const { clusterCIDRs, serviceCIDRs } = run;
  const onNodes = run.loadBalancerRanges.join() === NODES;
  const { ca, serviceAccount } = pki;
  const settings = {
    rootCA: ca.certificate,
    // An operator may keep the authority's key elsewhere.
    ...(ca.key !== "" && { signer: ca }),
    serviceAccountKey: serviceAccount.privateKey,
    clusterCIDRs,
    serviceCIDRs,
    loadBalancerRanges: onNodes ? [] : run.loadBalancerRanges,
  };
  let certificate = { raw: derOf(pki.controllerManager.certificate) };
  const choice = checked(run.controllers);
  const open = (): InProcessTransport => new InProcessTransport(dispatchTo(handler, () => certificate));
  const begin = (): Term<Controllers> => {
    const transport = open();
    const bare = new InProcessTransport(dispatchTo(handler));
    const random = Math.random;
    // What it gave out belongs to a term, as all that controllers know.
    const cloud = onNodes ? { cloud: nodeCloud(placesOfNodes(run)) } : {};
    const running = startAllControllers({
      ...{ transport, bare, clock, random, choice, log: logLine },
      settings: { ...settings, ...cloud },
    });
    const cut = async (): Promise<void> => {
      await Promise.all([transport.close(), bare.close()]);
    };
    return { running, stop: running.stop, cut };
  };
  const renew = ({ controllerManager }: PKI): void => {
    certificate = { raw: derOf(controllerManager.certificate) };
  };
  if (elections) {
    const elected = elections.stand({ name: NAME, transport: open(), begin });
    return {
      informers: undefined,
      ready: inTime(podsAreTaken(open(), clock), clock),
      renew,
      exposition: () => elected.running?.exposition() ?? "",
      stop: elected.stop,
    };
  }
  const { running } = begin();
  return { ...running, ready: inTime(running.ready, clock), renew };
}

/** What Services may not have of nodes: what keeps them, and what answers on the one that can be asked. */
function placesOfNodes({ components, node, securePort }: ControllersRun): NodePlaces {
  const isNode = NODE_COMPONENTS.some((name) => components.includes(name));
  const tcp = [SSH, securePort, node.kubeletPort, DNS_PORT, DNS_METRICS_PORT];
  const udp = [VXLAN_PORT, DNS_PORT];
  return {
    reserved: new Set([...tcp.map((port) => `tcp/${port}`), ...udp.map((port) => `udp/${port}`)]),
    async isTaken(protocol, port) {
      if (!isNode) return false;
      const addresses = [LOOPBACK, ...nodeAddresses()];
      const free = await Promise.all(addresses.map((address) => isPortFree(protocol, port, address)));
      return free.includes(false);
    },
  };
}

/** Resolves when the default namespace has its service account, whoever made it. */
async function podsAreTaken(transport: InProcessTransport, clock: Clock): Promise<void> {
  const accounts = new Informer({
    client: openClient(transport, { userAgent: NAME }).resource(ServiceAccount, "default"),
    select: { fieldSelector: "metadata.name=default" },
    clock,
    random: Math.random,
  });
  accounts.start();
  await accounts.until(() => accounts.lister.size > 0);
  await accounts.stop();
  await transport.close();
}

function inTime(ready: Promise<void>, clock: Clock): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = clock.setTimer(READY_WITHIN, () => {
    logLine("warn", "the default namespace has no service account yet: pods there are refused until it has");
    late.resolve();
  });
  return Promise.race([ready, late.promise]).finally(cancel);
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
