/**
 * What a cloud does for a cluster (upstream: k8s.io/cloud-provider). A part that is absent is one that the cloud does
 * not have; the loops behind it then rest. Calls are made for one object once at a time, are repeated after failures
 * and restarts, and must give the same answer then.
 */
import type { Node } from "../../api/core/node.ts";
import type { Service } from "../../api/core/services.ts";
import type { LoadBalancerStatus } from "../../api/schema/core.v1.generated.ts";

export interface CloudProvider {
  readonly name: string;
  readonly instances?: Instances;
  readonly routes?: Routes;
  readonly loadBalancers?: LoadBalancers;
}

export interface Instances {
  /** Undefined where the machine is no more. */
  find(node: Node): Promise<Instance | undefined>;
}

export interface Instance {
  providerID: string;
  instanceType?: string;
  zone?: string;
  region?: string;
  addresses: readonly { type: string; address: string }[];
  /** Switched off, and may come back. */
  shutdown?: boolean;
}

export interface Routes {
  list(): Promise<Route[]>;
  create(route: Route): Promise<void>;
  delete(route: Route): Promise<void>;
}

/** The way to the pods of a node. */
export interface Route {
  node: string;
  cidr: string;
}

export interface LoadBalancers {
  /** Makes or changes what the service needs; the answer goes to its status. Throws where it cannot, and says why. */
  ensure(service: Service, nodes: readonly Node[]): Promise<LoadBalancerStatus>;
  /**
   * The nodes behind the load balancer, or their addresses, are others now. Absent where nodes do not matter. An answer
   * goes to the service's status.
   */
  update?(service: Service, nodes: readonly Node[]): Promise<LoadBalancerStatus | undefined>;
  /** Takes everything back that `ensure` made; there may be nothing. */
  remove(service: Service): Promise<void>;
  /** Told of every service as it is now, before `ensure` is first called and from then on; undefined: it is gone. */
  observe?(key: string, service: Service | undefined): void;
}
