/** One informer for each resource and selection, however many ask for it. */
import type { KubeObject } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../backoff.ts";
import type { Client } from "../client.ts";
import type { ResourceKind } from "../resource-client.ts";
import { Informer } from "./informer.ts";

export interface Selection {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

export interface InformersOptions {
  client: Client;
  clock: Clock;
  random: Random;
  failed?: (resource: ResourceKind, error: unknown) => void;
}

export class Informers {
  private readonly options: InformersOptions;
  private readonly informers = new Map<string, Informer<KubeObject>>();
  private readonly wholes = new Map<string, Informer<KubeObject>>();

  constructor(options: InformersOptions) {
    this.options = options;
  }

  /** Not yet started. */
  of<T extends KubeObject>(resource: Resource<T>, selection?: Selection): Informer<T>;
  of<T extends KubeObject>(resource: ResourceKind, selection?: Selection): Informer<T>;
  of<T extends KubeObject>(resource: ResourceKind, selection: Selection = {}): Informer<T> {
    const { namespace = "", labelSelector = "", fieldSelector = "" } = selection;
    const { group, version, plural } = resource;
    const key = JSON.stringify([group, version, plural, namespace, labelSelector, fieldSelector]);
    const known = this.informers.get(key);
    if (known) return known as unknown as Informer<T>;
    const { client, clock, random, failed } = this.options;
    const informer = new Informer<T>({
      client: client.resource<T>(resource, namespace),
      select: { labelSelector, fieldSelector },
      clock,
      random,
      failed: (error) => failed?.(resource, error),
    });
    this.informers.set(key, informer as unknown as Informer<KubeObject>);
    if (namespace === "" && labelSelector === "" && fieldSelector === "") {
      this.wholes.set(`${plural}.${group}`, informer as unknown as Informer<KubeObject>);
    }
    return informer;
  }

  /** The one that shows all objects of a resource, in whatever version, where somebody asked for it before. */
  whole({ group, plural }: { group: string; plural: string }): Informer<KubeObject> | undefined {
    return this.wholes.get(`${plural}.${group}`);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.informers.values()].map((informer) => informer.stop()));
  }
}
