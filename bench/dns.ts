/**
 * The cluster's DNS under load, from another process over UDP: one figure a line.
 *
 *   node bench/dns.ts [SERVICES] [SECONDS]     (10,000 Services with 2 endpoints each, 5 seconds for each kind of question)
 *
 * Load and server share the machine, and the load costs about as much as the server: figures of one machine compare only
 * with each other.
 */
import { type ChildProcess, fork } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/base/clock.ts";
import { Informers } from "../src/client/informer/informers.ts";
import { Forwarder } from "../src/network/dns/forward/forwarder.ts";
import { Loops } from "../src/network/dns/forward/loops.ts";
import { encodeName } from "../src/network/dns/message/name.ts";
import { listen } from "../src/network/dns/server/listen.ts";
import { Responder } from "../src/network/dns/server/responder.ts";
import { watchObjects } from "../src/network/dns/zone/cluster-objects.ts";
import { ClusterZone } from "../src/network/dns/zone/cluster-zone.ts";
import { EndpointSlice, Service, startCluster } from "../src/testing/index.ts";

async function serve(count: number): Promise<void> {
  const cluster = await startCluster({ controllers: false, scheduler: false });
  const { client } = cluster;
  const services = client.resource(Service, "default");
  const slices = client.resource(EndpointSlice, "default");
  for (let at = 0; at < count; at += 100) {
    const numbers = Array.from({ length: Math.min(100, count - at) }, (_, i) => at + i);
    await Promise.all(
      numbers.map(async (n) => {
        const name = `service-${n}`;
        const isHeadless = n % 10 === 0;
        const clusterIP = isHeadless ? "None" : undefined;
        const labels = {
          "kubernetes.io/service-name": name,
          ...(isHeadless ? { "service.kubernetes.io/headless": "" } : {}),
        };
        await services.create({
          metadata: { name },
          spec: { clusterIP, ports: [{ name: "http", port: 80 }] },
        });
        const endpoints = [1, 2].map((i) => ({
          addresses: [
            `10.244.${n >> 8}.${n & 255}`.replace(/\d+$/, (last) => String((Number(last) + i) % 256)),
          ],
          conditions: { ready: true },
        }));
        const ports = [{ name: "http", port: 8080 }];
        await slices.create({ metadata: { name, labels }, addressType: "IPv4", endpoints, ports });
      }),
    );
  }
  const informers = new Informers({ client, clock: systemClock, random: Math.random });
  const memory = process.memoryUsage().heapUsed;
  const objects = watchObjects(informers);
  await objects.complete;
  const forwarder = new Forwarder({ clock: systemClock, random: Math.random });
  const responder = new Responder({
    zone: new ClusterZone({
      domain: "cluster.local",
      objects,
      servers: { v4: [], v6: [] },
      serial: () => objects.changes,
    }),
    isComplete: () => objects.isComplete,
    forwarder,
    loops: new Loops(Math.random, () => {}),
    failed: (error) => console.error(error),
  });
  const { port } = await listen({
    address: "127.0.0.1",
    port: 0,
    clock: systemClock,
    mayAsk: () => true,
    respond(message, protocol) {
      const answer = responder.respond(message, protocol);
      return answer instanceof Promise ? answer.then((late) => late?.message) : answer?.message;
    },
  });
  process.on("message", () => process.send?.({ cpu: process.cpuUsage() }));
  process.send?.({ port, memory: process.memoryUsage().heapUsed - memory });
}

function question(id: number, name: string, type: number): Buffer {
  const message = Buffer.concat([
    Buffer.from("000001000001000000000000", "hex"),
    encodeName(name)!,
    Buffer.from([0, type, 0, 1]),
  ]);
  message.writeUInt16BE(id, 0);
  return message;
}

const A = 1;
const SRV = 33;
const SOCKETS = 8;
/** Questions under way for each socket. */
const WINDOW = 8;

async function load(count: number, seconds: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ["server", String(count)]);
  const [{ port, memory }] = (await once(child, "message")) as [{ port: number; memory: number }];
  console.log(
    `${count} Services with their informers, which a node shares with its proxy: ${(memory / 2 ** 20).toFixed(1)} MiB`,
  );
  const pick = (): number => Math.floor(Math.random() * count);
  const name = (n: number): string => `service-${n}.default.svc.cluster.local`;
  const kinds: [string, () => [string, number]][] = [
    ["A of Services", () => [name(pick()), A]],
    ["A of what is not there", () => [`x${pick()}.default.svc.cluster.local`, A]],
    ["SRV of headless Services", () => [`_http._tcp.${name(10 * Math.floor(pick() / 10))}`, SRV]],
  ];
  for (const [what, ask] of kinds) await measure(child, port, what, ask, seconds);
  child.kill();
}

async function measure(
  child: ChildProcess,
  port: number,
  what: string,
  ask: () => [string, number],
  seconds: number,
): Promise<void> {
  const times: number[] = [];
  const cpu = async (): Promise<number> => {
    child.send({});
    const [{ cpu }] = (await once(child, "message")) as [{ cpu: NodeJS.CpuUsage }];
    return (cpu.user + cpu.system) / 1e6;
  };
  const sockets = await Promise.all(Array.from({ length: SOCKETS }, () => connected(port)));
  const before = await cpu();
  const until = performance.now() + seconds * 1000;
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          const sent = new Map<number, number>();
          let next = 0;
          const send = (): void => {
            const id = next++ & 0xffff;
            sent.set(id, performance.now());
            socket.send(question(id, ...ask()));
          };
          socket.on("message", (answer) => {
            const id = answer.readUInt16BE(0);
            const now = performance.now();
            times.push(now - sent.get(id)!);
            sent.delete(id);
            if (now < until) send();
            else if (sent.size === 0) resolve();
          });
          for (let i = 0; i < WINDOW; i++) send();
        }),
    ),
  );
  const used = (await cpu()) - before;
  for (const socket of sockets) socket.close();
  times.sort((a, b) => a - b);
  const at = (part: number): string => times[Math.floor(times.length * part)]!.toFixed(2);
  const each = ((used / times.length) * 1e6).toFixed(1);
  console.log(
    `${what}: ${Math.round(times.length / seconds)}/s, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${each} µs of the server's CPU each`,
  );
}

async function connected(port: number): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

const [role, ...rest] = process.argv.slice(2);
if (role === "server") await serve(Number(rest[0]));
else await load(Number(role ?? 10_000), Number(rest[0] ?? 5));
