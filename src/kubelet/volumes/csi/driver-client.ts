/** One CSI driver of this node, by its socket. */
import { GrpcClient } from "../../../host/grpc/grpc-client.ts";
import type { Message, Received, Sent } from "../../../host/grpc/messages.ts";
import * as messages from "./messages.ts";

interface Method<Request extends Message, Response extends Message> {
  path: string;
  request: Request;
  response: Response;
}

const { Empty } = messages;
/** Milliseconds; upstream's csiTimeout. */
const TIMEOUT = 2 * 60_000;

const METHODS = {
  nodeGetInfo: node("NodeGetInfo", Empty, messages.NodeGetInfoResponse),
  nodeGetCapabilities: node("NodeGetCapabilities", Empty, messages.NodeGetCapabilitiesResponse),
  nodeStageVolume: node("NodeStageVolume", messages.NodeStageVolumeRequest, Empty),
  nodeUnstageVolume: node("NodeUnstageVolume", messages.NodeUnstageVolumeRequest, Empty),
  nodePublishVolume: node("NodePublishVolume", messages.NodePublishVolumeRequest, Empty),
  nodeUnpublishVolume: node("NodeUnpublishVolume", messages.NodeUnpublishVolumeRequest, Empty),
  nodeExpandVolume: node(
    "NodeExpandVolume",
    messages.NodeExpandVolumeRequest,
    messages.NodeExpandVolumeResponse,
  ),
} as const;

type Methods = typeof METHODS;
type Call<M> =
  M extends Method<infer Request, infer Response>
    ? (request: Sent<Request>) => Promise<Received<Response>>
    : never;

export type DriverCalls = { readonly [K in keyof Methods]: Call<Methods[K]> };

/** Calls throw GrpcError. */
export interface DriverClient extends DriverCalls {
  close(): void;
}

function node<Request extends Message, Response extends Message>(
  name: string,
  request: Request,
  response: Response,
): Method<Request, Response> {
  return { path: `/csi.v1.Node/${name}`, request, response };
}

export function openDriver(socketPath: string): DriverClient {
  const client = new GrpcClient({
    peer: "the CSI driver",
    endpoints: [`unix://${socketPath}`],
    timeoutMs: TIMEOUT,
  });
  const calls: Record<string, unknown> = {};
  for (const [name, { path, request, response }] of Object.entries<Method<Message, Message>>(METHODS)) {
    calls[name] = async (value: object) => response.decode(await client.call(path, request.encode(value)));
  }
  return { ...(calls as unknown as DriverCalls), close: () => client.close() };
}

/** The socket by which plugins make themselves known. */
export interface Registrar {
  getInfo(): Promise<Received<typeof messages.PluginInfo>>;
  notify(status: Sent<typeof messages.RegistrationStatus>): Promise<void>;
  close(): void;
}

export function openRegistrar(socketPath: string): Registrar {
  const client = new GrpcClient({
    peer: "the plugin",
    endpoints: [`unix://${socketPath}`],
    timeoutMs: 10_000,
  });
  const path = (name: string): string => `/pluginregistration.Registration/${name}`;
  return {
    getInfo: async () => messages.PluginInfo.decode(await client.call(path("GetInfo"), Empty.encode({}))),
    async notify(status) {
      await client.call(path("NotifyRegistrationStatus"), messages.RegistrationStatus.encode(status));
    },
    close: () => client.close(),
  };
}
