/** exec, attach, cp and port-forward by unmodified kubectl, over WebSocket and over SPDY, to real containers. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { openWebSocket } from "../contract/streaming/websocket-client.ts";
import { cannotRunContainers } from "./harness/machine.ts";
import { type StreamingCluster, saidUntil, startStreamingCluster } from "./streaming-cluster.ts";

const SPDY = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: "false", KUBECTL_PORT_FORWARD_WEBSOCKETS: "false" };
const WAYS = [
  { way: "WebSocket", env: {} },
  { way: "SPDY", env: SPDY },
];

test("streams", { skip: cannotRunContainers }, async (t) => {
  const cluster = await startStreamingCluster(t);
  const pod = await cluster.runPod("web", [
    {
      name: "main",
      command: ["/bin/sh", "-c", "httpd -f -p 127.0.0.1:8080 -h /etc & trap 'exit 0' TERM; wait"],
    },
    {
      name: "reader",
      command: ["/bin/sh", "-c", "while read -r line; do echo got $line; done"],
      stdin: true,
    },
  ]);
  await cluster.listens(pod, 8080);
  for (const protocol of ["v5.channel.k8s.io", "v4.channel.k8s.io"]) {
    await t.test(`a terminal has the size of the client's: ${protocol}`, () => terminal(cluster, protocol));
  }

  await t.test("channels in base64, for clients that have text only", async () => {
    const path = "/api/v1/namespaces/default/pods/web/exec?container=main&stdout=1&command=echo&command=text";
    const socket = await openWebSocket(cluster.plane, path, { protocols: ["v4.base64.channel.k8s.io"] });
    const rest = await socket.rest();
    assert.equal(Buffer.from(rest.get("1".charCodeAt(0)) ?? "", "base64").toString(), "text\n");
  });

  for (const { way, env } of WAYS) {
    const exec = (...args: string[]) => cluster.run(["exec", "web", "-c", "main", ...args], { env });

    await t.test(`exec parts output and errors, and ends as the command does: ${way}`, async () => {
      const { code, stdout, stderr } = await exec("--", "sh", "-c", "echo out; echo err >&2; exit 7");
      assert.equal(stdout.toString(), "out\n");
      assert.equal(stderr, "err\ncommand terminated with exit code 7\n");
      assert.equal(code, 7);
    });

    await t.test(`exec gives the command its input to the end: ${way}`, async () => {
      const args = ["exec", "-i", "web", "-c", "main", "--", "sh", "-c", "tr a-z A-Z; echo end"];
      const { code, stdout } = await cluster.run(args, { env, input: "hello\nworld\n" });
      assert.equal(stdout.toString(), "HELLO\nWORLD\nend\n");
      assert.equal(code, 0);
    });

    await t.test(`exec says why a container cannot be reached: ${way}`, async () => {
      const missing = await cluster.run(["exec", "web", "-c", "other", "--", "ls"], { env });
      assert.match(missing.stderr, /container other is not valid for pod web/);
      const program = await exec("--", "/nowhere");
      assert.match(program.stderr, /nowhere.*no such file or directory/i);
      assert.equal(program.code, 1);
    });

    await t.test(`attach reaches the process of the container: ${way}`, async () => {
      const child = cluster.kubectl(["attach", "-i", "web", "-c", "reader"], { env });
      child.stdin!.write(`by ${way}\n`);
      const said = await saidUntil(child, "\n");
      assert.equal(said, `got by ${way}\n`);
      child.kill();
      await once(child, "close");
    });

    await t.test(`cp copies there and back: ${way}`, async () => {
      const content = randomBytes(3 * 1024 * 1024);
      await writeFile(join(cluster.directory, "there"), content);
      const there = await cluster.run(["cp", "there", "web:/tmp/copied", "-c", "main"], { env });
      assert.equal(there.code, 0, there.stderr);
      const back = await cluster.run(["cp", "web:/tmp/copied", "back", "-c", "main"], { env });
      assert.equal(back.code, 0, back.stderr);
      assert.ok((await readFile(join(cluster.directory, "back"))).equals(content));
    });

    await t.test(`port-forward carries many connections at once: ${way}`, () => forwardMany(cluster, env));

    await t.test(`100 MB come and go through exec unharmed: ${way}`, async () => {
      const megabytes = 100;
      const block = randomBytes(1024 * 1024);
      const child = cluster.kubectl(["exec", "-i", "web", "-c", "main", "--", "cat"], { env });
      const [sent, received] = [createHash("sha256"), createHash("sha256")];
      let size = 0;
      const before = process.memoryUsage.rss();
      let most = 0;
      child.stdout!.on("data", (chunk: Buffer) => {
        most = Math.max(most, process.memoryUsage.rss());
        size += chunk.length;
        received.update(chunk);
      });
      for (let i = 0; i < megabytes; i++) {
        block.writeUInt32BE(i, 0);
        sent.update(block);
        if (!child.stdin!.write(Buffer.from(block))) await once(child.stdin!, "drain");
      }
      child.stdin!.end();
      const [code] = await once(child, "close");
      assert.equal(code, 0);
      assert.equal(size, megabytes * 1024 * 1024);
      assert.equal(received.digest("hex"), sent.digest("hex"));
      assert.ok(most - before < BOUND, `${way} took ${(most - before) >> 20} MiB`);
    });
  }
});

const CHANNEL = { stdin: 0, stdout: 1, error: 3, resize: 4, close: 255 };

async function terminal(cluster: StreamingCluster, protocol: string): Promise<void> {
  const command = "stty -echo; while read -r line; do stty size; done";
  const query = new URLSearchParams({ container: "main", stdin: "1", stdout: "1", tty: "1" });
  for (const word of ["sh", "-c", `${command}; echo over; exit 3`]) query.append("command", word);
  const path = `/api/v1/namespaces/default/pods/web/exec?${query}`;
  const socket = await openWebSocket(cluster.plane, path, { protocols: [protocol] });
  assert.equal(socket.protocol, protocol);
  let said = "";
  const answer = async (): Promise<string> => {
    while (!said.includes("\r\n")) {
      const payload = await socket.next();
      assert.ok(payload, `it ended after ${JSON.stringify(said)}`);
      if (payload[0] === CHANNEL.stdout) said += payload.subarray(1).toString();
    }
    const end = said.indexOf("\r\n");
    const line = said.slice(0, end);
    said = said.slice(end + 2);
    // What is typed before the terminal's echo is off comes back, and is no answer.
    return line === "size" ? answer() : line;
  };
  // Sizes and input are channels of their own: one may overtake the other, so that the first answer may be too early.
  const resized = async (Width: number, Height: number): Promise<void> => {
    socket.send(CHANNEL.resize, JSON.stringify({ Width, Height }));
    do socket.send(CHANNEL.stdin, "size\n");
    while ((await answer()) !== `${Height} ${Width}`);
  };
  await resized(121, 33);
  await resized(77, 20);
  // A terminal's end of input.
  socket.send(CHANNEL.stdin, "\u0004");
  const rest = await socket.rest();
  assert.equal(said + (rest.get(CHANNEL.stdout) ?? ""), "over\r\n");
  const status = JSON.parse(rest.get(CHANNEL.error) ?? "{}");
  assert.equal(status.reason, "NonZeroExitCode");
  assert.deepEqual(status.details.causes, [{ reason: "ExitCode", message: "3" }]);
}

/** Bytes that may lie between two processes, and what the collector leaves lying for a while. */
const BOUND = 160 * 1024 * 1024;
const CONNECTIONS = 50;

async function forwardMany(cluster: StreamingCluster, env: Readonly<Record<string, string>>): Promise<void> {
  const child = cluster.kubectl(["port-forward", "pod/web", ":8080"], { env });
  const said = await saidUntil(child, "\n");
  const port = Number(/127\.0\.0\.1:(\d+) -> 8080/.exec(said)?.[1]);
  const get = async (): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}/passwd`);
    return response.text();
  };
  const answers = await Promise.all(Array.from({ length: CONNECTIONS }, get));
  for (const answer of answers) assert.match(answer, /^root:x:0:0:root/);
  child.kill();
  await once(child, "close");
}
