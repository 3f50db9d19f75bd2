/** The program: parses the command line and runs a verb. */

import { VERSION } from "../apiserver/version.ts";
import { bind, commandLine } from "../cli/command-line.ts";
import { UsageError } from "../cli/verb.ts";
import { agentVerb } from "../cli/verbs/agent.ts";
import { controllersTable, controllersVerb } from "../cli/verbs/controllers.ts";
import { doctorVerb } from "../cli/verbs/doctor.ts";
import { downVerb } from "../cli/verbs/down.ts";
import { explainVerb } from "../cli/verbs/explain.ts";
import { imagesVerb } from "../cli/verbs/images.ts";
import { installVerb } from "../cli/verbs/install.ts";
import { joinVerb } from "../cli/verbs/join.ts";
import { kubeconfigVerb } from "../cli/verbs/kubeconfig.ts";
import { kubectlVerb } from "../cli/verbs/kubectl.ts";
import { logsVerb } from "../cli/verbs/logs.ts";
import { resetVerb } from "../cli/verbs/reset.ts";
import { restartVerb } from "../cli/verbs/restart.ts";
import { serverVerb } from "../cli/verbs/server.ts";
import { type SimulateRun, simulateVerb } from "../cli/verbs/simulate.ts";
import { statusVerb } from "../cli/verbs/status.ts";
import { tokenVerb } from "../cli/verbs/token.ts";
import { upVerb } from "../cli/verbs/up.ts";
import { TransportError } from "../client/transport.ts";
import { PKIUnusable } from "../cluster/pki/ensure-pki.ts";
import { StatusError } from "../machinery/status/status-error.ts";
import { StoreDamaged, StoreUnavailable } from "../store/store.ts";

async function main(arguments_: readonly string[]): Promise<void> {
  const program = commandLine(VERSION.gitVersion, [
    bind(serverVerb, async (run) => (await import("./run-server.ts")).runServer(run)),
    bind(controllersVerb, listControllers),
    bind(explainVerb, async (run) => (await import("./run-explain.ts")).runExplain(run)),
    bind(simulateVerb, simulate),
    bind(upVerb, async (run) => (await import("./up/run-up.ts")).runUp(run)),
    bind(statusVerb, async (run) => (await import("./up/run-status.ts")).runStatus(run)),
    bind(downVerb, async (run) => (await import("./up/run-down.ts")).runDown(run)),
    bind(restartVerb, async (run) => (await import("./up/run-down.ts")).runRestart(run)),
    bind(logsVerb, async (run) => (await import("./up/run-logs.ts")).runLogs(run)),
    bind(kubeconfigVerb, async (run) => (await import("./up/run-kubeconfig.ts")).runKubeconfig(run)),
    bind(kubectlVerb, async (run) => (await import("./up/run-kubeconfig.ts")).runKubectl(run)),
    bind(resetVerb, async (run) => (await import("./up/run-reset.ts")).runReset(run)),
    bind(installVerb, async (run) => (await import("./up/run-install.ts")).runInstall(run)),
    bind(tokenVerb, async (run) => (await import("./join/run-token.ts")).runToken(run)),
    bind(joinVerb, async (run) => (await import("./join/run-join.ts")).runJoin(run)),
    bind(agentVerb, async (run) => (await import("./join/run-agent.ts")).runAgent(run)),
    bind(doctorVerb, async (run) => (await import("./up/run-doctor.ts")).runDoctor(run)),
    bind(imagesVerb, async (run) => (await import("./up/run-images.ts")).runImages(run)),
  ]);
  try {
    await program.parseAsync(arguments_, { from: "user" });
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`kybern: ${explained(error)}\n`);
    // What was begun (a store, a socket) may keep the process: its end is decided here.
    process.exit();
  }
}

async function simulate(run: SimulateRun): Promise<void> {
  await (await import("./run-simulation.ts")).runSimulation(run);
  process.exit(0);
}

async function listControllers(): Promise<void> {
  const { controllers } = await import("../controllers/index.ts");
  process.stdout.write(controllersTable(controllers));
}

/** One sentence for what a person can mend; the stack only of a bug. */
function explained(error: unknown): string {
  const mendable = [UsageError, PKIUnusable, StoreDamaged, StoreUnavailable];
  if (error instanceof Error && mendable.some((kind) => error instanceof kind)) return error.message;
  if (error instanceof TransportError)
    return `${error.message}. \`kybern status\` tells whether it runs here, \`kybern up\` starts it.`;
  if (error instanceof StatusError) return error.message;
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE")
    return `the port is taken: stop what listens there, or choose another with --secure-port (${message}).`;
  if (code === "EACCES" || code === "EPERM")
    return `not allowed: run as root, or choose a directory of your own with --data-dir (${message}).`;
  if (code !== undefined) return message;
  return `a bug: ${stack ?? String(error)}`;
}

// Who reads no further has what they wanted: `kybern up | head -1`.
process.stdout.on("error", () => process.exit(1));
// What cannot be logged, on a full disk for one, is no reason to end.
process.stderr.on("error", () => {});
await main(process.argv.slice(2));
