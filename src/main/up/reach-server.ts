import { connect } from "node:net";
import type { ClusterStatus } from "../../cluster/cluster-status.ts";
import type { Finding } from "../../host/machine/findings.ts";

const WITHIN_MS = 3000;

/** What is in the way of a machine that joined to its server; undefined where it answers, or is this machine. */
export async function serverFinding(
  { role, server }: Pick<ClusterStatus, "role" | "server">,
  withinMs = WITHIN_MS,
): Promise<Finding | undefined> {
  if (role === "server") return undefined;
  const { hostname, port } = new URL(server);
  const why = await problem(hostname.replace(/^\[|\]$/g, ""), Number(port || 443), withinMs);
  if (why === undefined) return undefined;
  return {
    level: "error",
    what: `the API server ${server} cannot be reached (${why}); containers and the network go on as they were`,
    fix: `see that it runs (\`kybern status\` there), and that this machine gets to its port ${port || 443} by TCP`,
  };
}

function problem(host: string, port: number, withinMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const tell = (why: string | undefined): void => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(withinMs, () => tell(`no answer in ${withinMs / 1000} s`));
    socket.once("connect", () => tell(undefined));
    socket.once("error", (error) => tell(error.message));
  });
}
