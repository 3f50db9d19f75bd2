/**
 * A server of grpc.health.v1.Health that is well, on the network of a node. As a program of its own (`node
 * grpc-health.ts ADDRESS`) it writes its port, and then a line each time that it is asked.
 */
import type { ChildProcess } from "node:child_process";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TestNode } from "../harness/test-node.ts";

export interface HealthServer {
  readonly port: number;
  /** Resolves once it was asked so often. */
  asked(times: number): Promise<void>;
}

export async function serveHealth(node: TestNode): Promise<HealthServer> {
  const child: ChildProcess = node.spawn(process.execPath, [fileURLToPath(import.meta.url), node.address]);
  let count = -1;
  let told: () => void = () => {};
  const port = await new Promise<number>((resolve) => {
    createInterface(child.stdout!).on("line", (line) => {
      count++;
      if (count === 0) resolve(Number(line));
      told();
    });
  });
  return {
    port,
    asked: (times) =>
      new Promise((resolve) => {
        told = () => {
          if (count >= times) resolve();
        };
        told();
      }),
  };
}

/** HealthCheckResponse with status SERVING, framed. */
const SERVING = Buffer.from([0, 0, 0, 0, 2, 8, 1]);

function run(address: string | undefined): void {
  const server = http2.createServer();
  server.on("stream", (stream: http2.ServerHttp2Stream) => {
    stream.resume();
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(SERVING);
    process.stdout.write("asked\n");
  });
  server.listen(0, address, () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) run(process.argv[2]);
