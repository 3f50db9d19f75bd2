/**
 * The container runtime, by the CRI (v1): containerd 1.6 and newer, CRI-O, or any other that speaks it.
 *
 *   const runtime = openContainerRuntime("/run/containerd/containerd.sock");
 *   const { podSandboxId } = await runtime.runPodSandbox({ config });
 *
 * Calls throw GrpcError: code 5 (NotFound) where a sandbox, container or image is gone, `unsent` where the runtime was
 * not reached. Stopping and removing what is gone succeeds.
 */
import { GrpcClient, type GrpcError, type GrpcStream } from "../../host/grpc/grpc-client.ts";
import { type Message, message, type Received, type Sent } from "../../host/grpc/messages.ts";
import * as containers from "./cri/containers.ts";
import * as images from "./cri/images.ts";
import * as runtime from "./cri/runtime.ts";
import * as sandboxes from "./cri/sandboxes.ts";
import * as stats from "./cri/stats.ts";

interface Method<Request extends Message, Response extends Message> {
  path: string;
  request: Request;
  response: Response;
}

const Empty = message({});

/** Milliseconds; upstream's --runtime-request-timeout. */
const TIMEOUT = 2 * 60_000;

const METHODS = {
  version: of("Version", runtime.VersionRequest, runtime.VersionResponse),
  status: of("Status", runtime.StatusRequest, runtime.StatusResponse),
  runtimeConfig: of("RuntimeConfig", runtime.RuntimeConfigRequest, runtime.RuntimeConfigResponse),
  updateRuntimeConfig: of("UpdateRuntimeConfig", runtime.UpdateRuntimeConfigRequest, Empty),
  runPodSandbox: of("RunPodSandbox", sandboxes.RunPodSandboxRequest, sandboxes.RunPodSandboxResponse),
  stopPodSandbox: of("StopPodSandbox", sandboxes.StopPodSandboxRequest, Empty),
  removePodSandbox: of("RemovePodSandbox", sandboxes.RemovePodSandboxRequest, Empty),
  podSandboxStatus: of(
    "PodSandboxStatus",
    sandboxes.PodSandboxStatusRequest,
    sandboxes.PodSandboxStatusResponse,
  ),
  listPodSandbox: of("ListPodSandbox", sandboxes.ListPodSandboxRequest, sandboxes.ListPodSandboxResponse),
  updatePodSandboxResources: of(
    "UpdatePodSandboxResources",
    sandboxes.UpdatePodSandboxResourcesRequest,
    Empty,
  ),
  portForward: of("PortForward", sandboxes.PortForwardRequest, sandboxes.PortForwardResponse),
  createContainer: of(
    "CreateContainer",
    containers.CreateContainerRequest,
    containers.CreateContainerResponse,
  ),
  startContainer: of("StartContainer", containers.StartContainerRequest, Empty),
  stopContainer: of("StopContainer", containers.StopContainerRequest, Empty),
  removeContainer: of("RemoveContainer", containers.RemoveContainerRequest, Empty),
  listContainers: of("ListContainers", containers.ListContainersRequest, containers.ListContainersResponse),
  containerStatus: of(
    "ContainerStatus",
    containers.ContainerStatusRequest,
    containers.ContainerStatusResponse,
  ),
  updateContainerResources: of("UpdateContainerResources", containers.UpdateContainerResourcesRequest, Empty),
  execSync: of("ExecSync", containers.ExecSyncRequest, containers.ExecSyncResponse),
  exec: of("Exec", containers.ExecRequest, containers.ExecResponse),
  attach: of("Attach", containers.AttachRequest, containers.AttachResponse),
  reopenContainerLog: of("ReopenContainerLog", containers.ReopenContainerLogRequest, Empty),
  containerStats: of("ContainerStats", stats.ContainerStatsRequest, stats.ContainerStatsResponse),
  listContainerStats: of(
    "ListContainerStats",
    stats.ListContainerStatsRequest,
    stats.ListContainerStatsResponse,
  ),
  podSandboxStats: of("PodSandboxStats", stats.PodSandboxStatsRequest, stats.PodSandboxStatsResponse),
  listPodSandboxStats: of(
    "ListPodSandboxStats",
    stats.ListPodSandboxStatsRequest,
    stats.ListPodSandboxStatsResponse,
  ),
  listImages: of("ListImages", images.ListImagesRequest, images.ListImagesResponse, "ImageService"),
  imageStatus: of("ImageStatus", images.ImageStatusRequest, images.ImageStatusResponse, "ImageService"),
  pullImage: of("PullImage", images.PullImageRequest, images.PullImageResponse, "ImageService"),
  removeImage: of("RemoveImage", images.RemoveImageRequest, Empty, "ImageService"),
  imageFsInfo: of("ImageFsInfo", images.ImageFsInfoRequest, images.ImageFsInfoResponse, "ImageService"),
} as const;

type Methods = typeof METHODS;
type Call<M> =
  M extends Method<infer Request, infer Response>
    ? (request: Sent<Request>, timeoutMs?: number) => Promise<Received<Response>>
    : never;

/** One function a method; `timeoutMs` 0 waits as long as it takes. */
export type RuntimeCalls = { readonly [K in keyof Methods]: Call<Methods[K]> };

export interface ContainerRuntime extends RuntimeCalls {
  /**
   * Follows what becomes of containers. Refused (code 12, Unimplemented) by containerd before 1.7: what is running must
   * then be listed. `ended` is called once.
   */
  events(
    changed: (event: containers.ContainerEventResponse) => void,
    ended: (error: GrpcError | undefined) => void,
  ): Promise<GrpcStream>;
  close(): void;
}

function of<Request extends Message, Response extends Message>(
  name: string,
  request: Request,
  response: Response,
  service: "RuntimeService" | "ImageService" = "RuntimeService",
): Method<Request, Response> {
  return { path: `/runtime.v1.${service}/${name}`, request, response };
}

/** `timeoutMs`: how long a call may take unless its caller says otherwise. */
export function openContainerRuntime(socketPath: string, timeoutMs = TIMEOUT): ContainerRuntime {
  const client = new GrpcClient({
    peer: "the container runtime",
    endpoints: [`unix://${socketPath}`],
    timeoutMs,
  });
  const calls: Record<string, unknown> = {};
  for (const [name, { path, request, response }] of Object.entries<Method<Message, Message>>(METHODS)) {
    calls[name] = async (value: object, timeoutMs?: number) =>
      response.decode(await client.call(path, request.encode(value), timeoutMs));
  }
  return {
    ...(calls as unknown as RuntimeCalls),
    events: (changed, ended) =>
      client
        .stream("/runtime.v1.RuntimeService/GetContainerEvents", {
          message: (bytes) => changed(containers.ContainerEventResponse.decode(bytes)),
          ended,
        })
        .then((stream) => {
          stream.send(containers.GetEventsRequest.encode({}));
          stream.finish();
          return stream;
        }),
    close: () => client.close(),
  };
}
