/** A node in the process of its server: known by certificates that the cluster's authority issues at each start. */
import { hostname } from "node:os";
import type { Handler } from "../../apiserver/handler.ts";
import { dispatchTo } from "../../apiserver/http/dispatch.ts";
import type { Clock } from "../../base/clock.ts";
import { UsageError } from "../../cli/verb.ts";
import type { ServerRun } from "../../cli/verbs/server.ts";
import type { Informers } from "../../client/informer/informers.ts";
import { InProcessTransport } from "../../client/transports/in-process-transport.ts";
import type { StatusBoard } from "../../cluster/cluster-status.ts";
import type { Layout } from "../../cluster/layout.ts";
import { derOf, issueCertificate, LEAF_DAYS, validity } from "../../cluster/pki/certificate.ts";
import type { PKI } from "../../cluster/pki/ensure-pki.ts";
import { issueClientCertificate } from "../../cluster/pki/issue-client-certificate.ts";
import type { KubeletConfiguration } from "../../kubelet/configuration/settings.ts";
import { logLine } from "../log.ts";
import { keepTrying } from "./keep-trying.ts";
import type { NodeAccess, NodeComponent } from "./node-run.ts";
import { type RunningNode, runNode } from "./run-node.ts";

export interface OwnNode {
  exposition(): string;
  /** Acts with new certificates from now on. */
  renew(pki: PKI): void;
  stop(): Promise<void>;
}

interface OwnNodeRun {
  handler: Handler;
  pki: PKI;
  clock: Clock;
  run: ServerRun;
  layout: Layout;
  board: StatusBoard;
  informers: Informers | undefined;
  components: ReadonlySet<NodeComponent>;
  configuration: KubeletConfiguration;
}

/** Begins at once; the server need not wait for it. */
export function startOwnNode(options: OwnNodeRun): OwnNode {
  const { clock, run, layout, board, components, configuration } = options;
  const access = ownNodeAccess(options);
  const { node, clusterCIDRs, serviceCIDRs, dnsDomain } = run;
  const begin = (): Promise<RunningNode> =>
    runNode({
      ...{ layout, node, components, clusterCIDRs, serviceCIDRs, dnsDomain, access, board, clock },
      configuration,
    });
  const running = keepTrying(begin, clock, (error) => {
    board.set("node", "failed", error.message);
    logLine("error", "the node could not be started; it is tried again", { error: error.message });
  });
  return {
    exposition: () => running.current?.exposition() ?? "",
    renew: access.renew,
    stop: running.stop,
  };
}

function ownNodeAccess({
  handler,
  pki: first,
  clock,
  run,
  informers,
}: OwnNodeRun): NodeAccess & Pick<OwnNode, "renew"> {
  const { name } = run.node;
  let pki = first;
  if (pki.ca.key === "")
    throw new UsageError(
      `a node in the server's process needs ${pki.ca.keyPath}, by which it gets its certificates: put it there, or join the machine with \`kybern join\`.`,
    );
  const issue = (user: string, groups: string[]): { raw: Uint8Array } => {
    const { certificate } = issueClientCertificate({
      ca: pki.ca,
      name: user,
      groups,
      now: new Date(clock.now()),
    });
    return { raw: derOf(certificate) };
  };
  const issueAll = (): { node: { raw: Uint8Array }; proxy: { raw: Uint8Array } } => ({
    node: issue(`system:node:${name}`, ["system:nodes"]),
    proxy: issue("system:kube-proxy", []),
  });
  let certificates = issueAll();
  return {
    informers,
    open: (user) => new InProcessTransport(dispatchTo(handler, () => certificates[user])),
    clientCA: () => pki.ca.certificate,
    async servingPair(addresses) {
      const { certificate, key } = issueCertificate(pki.ca, {
        subject: { commonName: `system:node:${name}`, organizations: ["system:nodes"] },
        usage: "server",
        ...validity(new Date(clock.now()), LEAF_DAYS),
        dnsNames: [...new Set([name, hostname().toLowerCase()])],
        addresses,
      });
      return { cert: certificate, key };
    },
    renew(fresh) {
      pki = fresh;
      certificates = issueAll();
    },
  };
}
