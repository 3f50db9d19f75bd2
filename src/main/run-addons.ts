/** What makes a bare cluster a comfortable one: volumes of nodes' directories, and the Service of DNS. */
import { startControlPlaneRole } from "../addons/control-plane-role/start-control-plane-role.ts";
import { startServingApprover } from "../addons/kubelet-serving-approver/start-approver.ts";
import {
  ACCOUNT,
  installLocalPathProvisioner,
  startLocalPathProvisioner,
} from "../addons/local-path-provisioner/index.ts";
import type { Handler } from "../apiserver/handler.ts";
import { dispatchTo } from "../apiserver/http/dispatch.ts";
import type { Clock } from "../base/clock.ts";
import { NODE_COMPONENTS } from "../cli/node-flags.ts";
import type { ServerRun } from "../cli/verbs/server.ts";
import { type Client, openClient } from "../client/client.ts";
import { CoreEventRecorder } from "../client/events/core-event-recorder.ts";
import { Informers } from "../client/informer/informers.ts";
import { serviceAccountTransport } from "../client/service-account-transport.ts";
import { InProcessTransport } from "../client/transports/in-process-transport.ts";
import type { Layout } from "../cluster/layout.ts";
import { derOf } from "../cluster/pki/certificate.ts";
import type { PKI } from "../cluster/pki/ensure-pki.ts";
import { startDNSService } from "../network/dns/start-dns-service.ts";
import { allowNodesToReadNetwork } from "../network/node-access.ts";
import { logLine } from "./log.ts";
import { clusterDNS } from "./node/cluster-dns.ts";
import { keepTrying } from "./node/keep-trying.ts";

export interface AddonsRun {
  handler: Handler;
  pki: PKI;
  clock: Clock;
  run: ServerRun;
  layout: Layout;
  /** Those of the controllers, where they run in this process all the time. */
  informers: Informers | undefined;
}

export interface Addons {
  /** Acts with the administrator's new certificate from now on. */
  renew(pki: PKI): void;
  stop(): Promise<void>;
}

interface Parts extends AddonsRun {
  /** Acts as the administrator. */
  admin: Client;
  shared: Informers;
}

const NAMESPACE = "kube-system";

export function startAddons(options: AddonsRun): Addons {
  const { handler, clock } = options;
  let certificate = { raw: derOf(options.pki.admin.certificate) };
  const transport = new InProcessTransport(dispatchTo(handler, () => certificate));
  const admin = openClient(transport, { userAgent: "kybern" });
  const own = new Informers({ client: admin, clock, random: Math.random });
  const parts = { ...options, admin, shared: options.informers ?? own };
  const volumes = keepTrying(
    () => provisioner(parts),
    clock,
    (error) =>
      logLine("warn", "the class of local volumes could not be made; it is tried again", {
        error: error.message,
      }),
  );
  // Nodes that join later find it there; those of a cluster that was made by an older program too.
  const network = keepTrying(
    async () => {
      await allowNodesToReadNetwork(admin);
      return { stop: async () => {} };
    },
    clock,
    (error) =>
      logLine("warn", "nodes could not be allowed to read what their network needs; it is tried again", {
        error: error.message,
      }),
  );
  const common = { client: admin, informers: parts.shared, clock, log: logLine };
  const dns = startDNSService({
    ...common,
    clusterDNS: clusterDNS(options.run.serviceCIDRs),
  });
  const approver = startServingApprover(common);
  const isNode = NODE_COMPONENTS.some((name) => options.run.components.includes(name));
  const role = isNode
    ? startControlPlaneRole({ ...common, nodeName: options.run.node.name })
    : { stop: async () => {} };
  return {
    renew({ admin: fresh }) {
      certificate = { raw: derOf(fresh.certificate) };
    },
    async stop() {
      await Promise.all([role.stop(), approver.stop(), dns.stop(), network.stop(), volumes.stop()]);
      await own.stop();
      await admin.close();
    },
  };
}

async function provisioner({
  handler,
  clock,
  layout,
  admin,
  shared,
}: Parts): Promise<{ stop(): Promise<void> }> {
  await installLocalPathProvisioner(admin);
  const bare = new InProcessTransport(dispatchTo(handler));
  const account = { keeper: admin, namespace: NAMESPACE, name: ACCOUNT };
  const client = openClient(serviceAccountTransport({ ...account, clock, transport: bare }), {
    userAgent: ACCOUNT,
  });
  const running = startLocalPathProvisioner({
    ...{ client, informers: shared, clock, directory: layout.storage, log: logLine },
    events: new CoreEventRecorder({ client, component: ACCOUNT, clock }),
  });
  return {
    async stop() {
      await running.stop();
      await bare.close();
    },
  };
}
