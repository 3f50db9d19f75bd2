/** What to type next. */
import { dirname, join, relative } from "node:path";
import type { ClusterStatus } from "../../cluster/cluster-status.ts";
import { defaultDataDir, type Layout } from "../../cluster/layout.ts";
import { lacking } from "../../host/machine/machine.ts";

export async function whatNext(layout: Layout, status: ClusterStatus): Promise<string[]> {
  const flag = layout.dataDir === defaultDataDir() ? "" : ` --data-dir ${layout.dataDir}`;
  const hasKubectl = (await lacking(["kubectl"])).length === 0;
  const kybern = await programName();
  if (status.role === "agent")
    return [
      "This machine is a node of the cluster. On a machine that has its kubeconfig:",
      "  kubectl get nodes",
    ];
  return [
    `The API server is ${status.server}. ${hasKubectl ? "Use it" : "With kubectl (not found here: https://kubernetes.io/docs/tasks/tools/) use it"}:`,
    `  export KUBECONFIG=${layout.adminConfig}`,
    "  kubectl get nodes",
    "  kubectl create deployment web --image=nginx",
    "",
    `See how it does with \`${kybern} status${flag}\`, stop it with \`${kybern} down${flag}\`, remove it with \`${kybern} reset${flag}\`.`,
  ];
}

/** How this program is called from here: a checkout is not on PATH. */
export async function programName(): Promise<string> {
  if ((await lacking(["kybern"])).length === 0) return "kybern";
  const [script] = process.argv.slice(1);
  return script === undefined
    ? "kybern"
    : `node ${relative(process.cwd(), join(dirname(script), "kybern.js"))}`;
}
