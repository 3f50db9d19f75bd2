/** A CSI driver of directories: as small as one can be that does all that the kubelet asks for. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { createServer, type ServerHttp2Stream } from "node:http2";
import { join } from "node:path";
import type { Message, Received, Sent } from "../../src/host/grpc/messages.ts";
import { openMounts } from "../../src/host/mounts/mounts.ts";
import * as messages from "../../src/kubelet/volumes/csi/messages.ts";

export interface CSICall {
  method: string;
  request: Record<string, unknown>;
}

export interface TestDriver {
  calls: CSICall[];
  registered: Promise<boolean>;
  /** What is thrown is what the driver answers. */
  fail: Map<string, string>;
  stop(): Promise<void>;
}

interface Handler {
  request: Message;
  response: Message;
  answer(request: never): Promise<object>;
}

function handler<Q extends Message, A extends Message>(
  request: Q,
  response: A,
  answer: (request: Received<Q>) => Promise<Sent<A>>,
): Handler {
  return { request, response, answer: answer as Handler["answer"] };
}

/** Its volumes are directories of `data`; its sockets are made in `registry` and `data`. */
export async function startDriver(
  name: string,
  places: { registry: string; data: string },
  capabilities: readonly number[],
): Promise<TestDriver> {
  const calls: CSICall[] = [];
  const fail = new Map<string, string>();
  const mounts = openMounts();
  const registered = Promise.withResolvers<boolean>();
  const { Empty } = messages;
  const endpoint = join(places.data, "csi.sock");
  const nothing = async () => ({});
  const handlers: Record<string, Handler> = {
    "/csi.v1.Node/NodeGetInfo": handler(Empty, messages.NodeGetInfoResponse, async () => ({
      nodeId: "id-of-n",
      maxVolumesPerNode: 7,
      accessibleTopology: { segments: new Map([["topology.test/zone", "z1"]]) },
    })),
    "/csi.v1.Node/NodeGetCapabilities": handler(Empty, messages.NodeGetCapabilitiesResponse, async () => ({
      capabilities: capabilities.map((type) => ({ rpc: { type } })),
    })),
    "/csi.v1.Node/NodeStageVolume": handler(messages.NodeStageVolumeRequest, Empty, async ({ volumeId }) => {
      await mkdir(join(places.data, volumeId), { recursive: true });
      return {};
    }),
    "/csi.v1.Node/NodeUnstageVolume": handler(messages.NodeUnstageVolumeRequest, Empty, nothing),
    "/csi.v1.Node/NodePublishVolume": handler(
      messages.NodePublishVolumeRequest,
      Empty,
      async ({ volumeId, targetPath, volumeContext }) => {
        const source = join(places.data, volumeId);
        await mkdir(source, { recursive: true });
        await writeFile(join(source, "context"), JSON.stringify(Object.fromEntries(volumeContext)));
        if ((await mounts.table()).some(({ target }) => target === targetPath)) return {};
        await mkdir(targetPath, { recursive: true });
        await mounts.bind(source, targetPath);
        return {};
      },
    ),
    "/csi.v1.Node/NodeUnpublishVolume": handler(
      messages.NodeUnpublishVolumeRequest,
      Empty,
      async ({ targetPath }) => {
        await mounts.unmountBelow(targetPath);
        await rm(targetPath, { recursive: true, force: true });
        return {};
      },
    ),
    "/csi.v1.Node/NodeExpandVolume": handler(
      messages.NodeExpandVolumeRequest,
      messages.NodeExpandVolumeResponse,
      async ({ capacityRange }) => ({ capacityBytes: capacityRange?.requiredBytes ?? 0 }),
    ),
  };
  const registration: Record<string, Handler> = {
    "/pluginregistration.Registration/GetInfo": handler(Empty, messages.PluginInfo, async () => ({
      type: "CSIPlugin",
      name,
      endpoint,
      supportedVersions: ["1.0.0"],
    })),
    "/pluginregistration.Registration/NotifyRegistrationStatus": handler(
      messages.RegistrationStatus,
      Empty,
      async ({ pluginRegistered }) => {
        registered.resolve(pluginRegistered);
        return {};
      },
    ),
  };
  await mkdir(places.data, { recursive: true });
  const called = (method: string, request: Record<string, unknown>): void => {
    calls.push({ method: method.slice(method.lastIndexOf("/") + 1), request });
  };
  const stops = [await serve(endpoint, handlers, fail, called)];
  stops.push(await serve(join(places.registry, `${name}-reg.sock`), registration, fail, called));
  return {
    calls,
    registered: registered.promise,
    fail,
    stop: async () => {
      for (const stop of stops.reverse()) await stop();
    },
  };
}

async function serve(
  path: string,
  handlers: Record<string, Handler>,
  fail: ReadonlyMap<string, string>,
  called: (method: string, request: Record<string, unknown>) => void,
): Promise<() => Promise<void>> {
  const sessions = new Set<{ destroy(): void }>();
  const server = createServer();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    const parts: Buffer[] = [];
    stream.on("error", () => {});
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", async () => {
      const method = String(headers[":path"]);
      const { request, response, answer } = handlers[method] ?? {};
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      const end = (code: number, text = ""): void => {
        stream.once("wantTrailers", () =>
          stream.sendTrailers({ "grpc-status": String(code), "grpc-message": encodeURIComponent(text) }),
        );
        stream.end();
      };
      if (!request || !response || !answer) return end(12, `no method ${method}`);
      const asked = request.decode(Buffer.concat(parts).subarray(5)) as Record<string, unknown>;
      called(method, asked);
      const refusal = fail.get(method.slice(method.lastIndexOf("/") + 1));
      if (refusal !== undefined) return end(13, refusal);
      const bytes = response.encode((await answer(asked as never)) as never);
      const head = Buffer.alloc(5);
      head.writeUInt32BE(bytes.length, 1);
      stream.write(Buffer.concat([head, bytes]));
      end(0);
    });
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
    await rm(path, { force: true });
  };
}
