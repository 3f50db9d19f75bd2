/** What `kybern agent` does: a node of a cluster elsewhere, known by certificates that the cluster issues. */
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { ConfigMap } from "../../api/core/config-map.ts";
import { VERSION } from "../../apiserver/version.ts";
import { systemClock } from "../../base/clock.ts";
import { NODE_COMPONENTS } from "../../cli/node-flags.ts";
import { UsageError } from "../../cli/verb.ts";
import type { AgentRun } from "../../cli/verbs/agent.ts";
import { openClient } from "../../client/client.ts";
import { HTTPSTransport } from "../../client/transports/https-transport.ts";
import { StatusBoard } from "../../cluster/cluster-status.ts";
import type { Layout } from "../../cluster/layout.ts";
import { followedAddresses } from "../../host/machine/addresses.ts";
import type { KeyedCertificate } from "../../kubelet/certificates/certificate-file.ts";
import { keepCertificate } from "../../kubelet/certificates/keep-certificate.ts";
import { asBackgroundProgram } from "../background-program.ts";
import { logLine } from "../log.ts";
import { keepTrying } from "../node/keep-trying.ts";
import { openKubeletConfiguration } from "../node/kubelet-configuration.ts";
import type { NodeAccess, ServingPair } from "../node/node-run.ts";
import { runNode } from "../node/run-node.ts";
import { stopSignal } from "../stop-signal.ts";
import { CLUSTER_CONFIG, type ClusterConfig, PUBLIC } from "./cluster-objects.ts";
import { RenewableTransport } from "./renewable-transport.ts";
import { temporaryPair } from "./temporary-pair.ts";

/** What `kybern join` wrote. */
interface NodeConfig {
  server: string;
  ca: string;
  token: string;
}

const clock = systemClock;
const random = Math.random;

export async function runAgent({ layout, node }: AgentRun): Promise<void> {
  const stopped = stopSignal();
  const { server, ca, token } = await readConfig(layout);
  const configuration = await openKubeletConfiguration(node);
  const board = new StatusBoard(
    { version: VERSION.gitVersion, pid: process.pid, started: clock.now(), role: "agent", server },
    () => clock.now(),
  );
  const telling = await board.serve(layout.statusSocket);
  board.set("certificate", "starting");
  const open = (of: { token: string } | KeyedCertificate): HTTPSTransport =>
    new HTTPSTransport({
      ...{ server, ca, clock },
      ...("token" in of ? { token: of.token } : { cert: of.certificate, key: of.key }),
    });
  const transports: RenewableTransport[] = [];
  let own: KeyedCertificate | undefined;
  const introduction = openClient(open({ token }), { userAgent: "kubelet" });
  const asking = new RenewableTransport(open({ token }));
  const asked = openClient(asking, { userAgent: "kubelet" });
  const directory = join(layout.kubelet.root, "pki");
  const client = keepCertificate({
    purpose: "client",
    nodeName: node.name,
    client: () => (own ? asked : introduction),
    ...{ directory, clock, random, log: logLine },
    renewed: (pair) => {
      own = pair;
      for (const transport of [asking, ...transports]) void transport.renew(open(pair));
    },
  });
  const addresses = followedAddresses(node.address);
  const begin = async (): Promise<{ stop(): Promise<void> }> => {
    await client.first;
    board.set("certificate", "running");
    const { data = {} } = await asked.resource(ConfigMap, PUBLIC).get(CLUSTER_CONFIG);
    const config = JSON.parse(data.cluster ?? "{}") as ClusterConfig;
    let shown: ServingPair | undefined;
    const listeners = new Set<(pair: ServingPair) => void>();
    const serving = keepCertificate({
      purpose: "serving",
      nodeName: node.name,
      names: () => ({ dnsNames: [node.name], ipAddresses: addresses() }),
      client: () => asked,
      ...{ directory, clock, random, log: logLine },
      renewed: ({ certificate, key }) => {
        shown = { cert: certificate, key };
        for (const listener of listeners) listener(shown);
      },
    });
    const access: NodeAccess = {
      open() {
        const transport = new RenewableTransport(open(own!));
        transports.push(transport);
        return transport;
      },
      clientCA: () => ca,
      servingPair: async (of) => shown ?? temporaryPair(node.name, hostname(), of, new Date(clock.now())),
      servingChanged(listener) {
        listeners.add(listener);
        if (shown) listener(shown);
      },
      informers: undefined,
    };
    const running = await runNode({
      ...{ layout, node, components: new Set(NODE_COMPONENTS), access, board, clock, ...config },
      configuration,
    }).catch(async (error: unknown) => {
      await serving.stop();
      throw error;
    });
    return {
      async stop() {
        await running.stop();
        await serving.stop();
      },
    };
  };
  const running = keepTrying(begin, clock, (error) => {
    board.set("node", "failed", error.message);
    logLine("error", "the node could not be started; it is tried again", { error: error.message });
  });
  const background = asBackgroundProgram(layout, node.address, clock);
  await Promise.race([stopped, background.again]);
  background.close();
  await client.stop();
  await running.stop();
  await Promise.all([introduction.close(), asked.close(), telling.close()]);
  await background.end();
  process.exit();
}

async function readConfig({ nodeConfig }: Layout): Promise<NodeConfig> {
  const text = await readFile(nodeConfig, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT")
      throw new UsageError("this machine has joined no cluster: `kybern join` does that.");
    throw error;
  });
  return JSON.parse(text) as NodeConfig;
}
