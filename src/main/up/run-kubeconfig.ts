import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { UsageError } from "../../cli/verb.ts";
import type { KubeconfigRun } from "../../cli/verbs/kubeconfig.ts";
import type { KubectlRun } from "../../cli/verbs/kubectl.ts";
import {
  emptyKubeconfig,
  type Kubeconfig,
  mergeKubeconfig,
  printKubeconfig,
  readKubeconfig,
  writeKubeconfig,
} from "../../cluster/kubeconfig/kubeconfig.ts";
import type { Layout } from "../../cluster/layout.ts";

export async function runKubeconfig({ layout, mergeInto }: KubeconfigRun): Promise<void> {
  const own = await adminConfig(layout);
  if (mergeInto === undefined) {
    process.stdout.write(printKubeconfig(own));
    return;
  }
  const named = withName(own, "kybern");
  const before = await readKubeconfig(mergeInto).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== undefined) throw error;
    throw new UsageError(`${error.message}: mend it, or choose another file with --into.`);
  });
  await writeKubeconfig(mergeInto, mergeKubeconfig(before ?? emptyKubeconfig(), named, { use: true }));
  process.stdout.write(`${mergeInto} has the context ${named["current-context"]}, and uses it now.\n`);
}

/** kubectl says itself what goes wrong; its status is ours. */
export async function runKubectl({ layout, arguments: words }: KubectlRun): Promise<void> {
  await adminConfig(layout);
  const child = spawn("kubectl", words, {
    stdio: "inherit",
    env: { ...process.env, KUBECONFIG: layout.adminConfig },
  });
  // What the terminal tells both is kubectl's to answer.
  for (const signal of ["SIGINT", "SIGQUIT"] as const) process.on(signal, () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.exitCode = await new Promise<number>((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "ENOENT"
          ? new UsageError(
              "there is no kubectl on this machine: get one as https://kubernetes.io/docs/tasks/tools/ says, for example with `apt-get install kubernetes-client` or `snap install kubectl --classic`.",
            )
          : error,
      ),
    );
    child.on("exit", (code, signal) => resolve(code ?? (signal ? 1 : 0)));
  });
}

async function adminConfig(layout: Layout): Promise<Kubeconfig> {
  const text = await readFile(layout.adminConfig, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT")
      throw new UsageError(`there is no cluster in ${layout.dataDir}: make one with \`kybern up\`.`);
    throw error;
  });
  return JSON.parse(text) as Kubeconfig;
}

/** Cluster, user and context under a name of their own, so that they replace no other's. */
function withName(config: Kubeconfig, name: string): Kubeconfig {
  const [cluster] = config.clusters;
  const [user] = config.users;
  if (!cluster || !user) return config;
  return {
    ...config,
    clusters: [{ ...cluster, name }],
    users: [{ ...user, name: `${name}-admin` }],
    contexts: [{ name, context: { cluster: name, user: `${name}-admin` } }],
    "current-context": name,
  };
}
