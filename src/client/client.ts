/**
 * The one client of every component, whatever carries its requests:
 *
 *   const pods = client.resource(Pod, "default");
 *   await pods.create({ metadata: { name: "web" }, spec: { containers: [{ name: "web", image: "web:1" }] } });
 */
import type { KubeObject } from "../api/object.ts";
import type { Resource } from "../api/resource.ts";
import {
  type ResourceClient,
  type ResourceKind,
  TypedResourceClient,
  type WriteObserver,
} from "./resource-client.ts";
import { errorFromAnswer } from "./status.ts";
import type { Transport, TransportRequest, TransportResponse } from "./transport.ts";

export interface ClientOptions {
  /** What comes before the slash names the field manager of writes that do not say another. */
  userAgent?: string;
  /** Told of each object that a write of this client is answered with, and of each object it deleted. */
  wrote?: WriteObserver;
}

export interface Client {
  /** By its declaration, typed by it. */
  resource<T extends KubeObject>(resource: Resource<T>, namespace?: string): ResourceClient<T>;
  /** By its names, for kinds that are known only while running. */
  resource<T extends KubeObject = KubeObject>(resource: ResourceKind, namespace?: string): ResourceClient<T>;
  /** Of everything of a resource the metadata and nothing else. */
  metadata(resource: ResourceKind): MetadataClient;
  /** Any path; throws StatusError for an answer that is no success. */
  request(request: TransportRequest): Promise<TransportResponse>;
  /** Closes the transport, and with it every watch. */
  close(): Promise<void>;
}

/** What comes is of kind PartialObjectMetadata. */
export type MetadataClient = Pick<ResourceClient<KubeObject>, "lasting" | "listAll" | "watch">;

const ACCEPT = "application/json";
const METADATA = "application/json;g=meta.k8s.io;v=v1;as=PartialObjectMetadata";

export function openClient(transport: Transport, options: ClientOptions = {}): Client {
  const headers = Object.freeze({ accept: ACCEPT, "user-agent": options.userAgent ?? "kybern" });
  return {
    resource: <T extends KubeObject>(resource: ResourceKind, namespace = "") =>
      new TypedResourceClient<T>(transport, resource, namespace, headers, options.wrote),
    metadata(resource) {
      const asking = (accept: string): ResourceClient<KubeObject> =>
        new TypedResourceClient<KubeObject>(transport, resource, "", { ...headers, accept });
      const [one, list] = [asking(METADATA), asking(`${METADATA}List`)];
      return {
        lasting: one.lasting,
        listAll: (asked) => list.listAll(asked),
        watch: (asked) => one.watch(asked),
      };
    },
    async request(request) {
      const answer = await transport.request({ ...request, headers: { ...headers, ...request.headers } });
      if (answer.status >= 400) throw errorFromAnswer(answer);
      return answer;
    },
    close: () => transport.close(),
  };
}
