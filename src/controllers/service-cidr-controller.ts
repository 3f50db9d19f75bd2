/**
 * Says of each ServiceCIDR that addresses may be taken from it, and keeps it as long as addresses are that only it
 * covers (upstream: pkg/controller/servicecidrs).
 */
import { IPAddress } from "../api/networking/ip-address.ts";
import { ServiceCIDR } from "../api/networking/service-cidr.ts";
import type { KubeObject } from "../api/object.ts";
import type { Lister } from "../client/informer/object-store.ts";
import { isReason } from "../client/status.ts";
import type { WorkResult } from "../client/work-queue/work-queue.ts";
import { contains, parseCIDR, parseIP } from "../machinery/names/ip-address.ts";
import { formatTime } from "../machinery/time/time.ts";
import { type ControllerContext, defineController, input } from "./runtime/controller.ts";

type Inputs = { cidrs: ServiceCIDR; addresses: IPAddress };
type Listers = { readonly [N in keyof Inputs]: Lister<Inputs[N]> };

const FINALIZER = "networking.k8s.io/service-cidr-finalizer";
const MANAGED_BY = "ipaddress.kubernetes.io/managed-by";
const MANAGER = "ipallocator.k8s.io";
/** Every ServiceCIDR that waits to be deleted: names of objects have no slash. */
const LEAVING = "leaving/";
/** Until then whoever gives out addresses has seen that this range is leaving. */
const DELETION_GRACE_MS = 10_000;

const READY = { status: "True", reason: "", message: "Kubernetes Service CIDR is ready" };
const IN_USE = {
  status: "False",
  reason: "Terminating",
  message:
    "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR",
};

export const serviceCIDRController = defineController<Inputs>({
  name: "service-cidr-controller",
  account: "service-cidrs-controller",
  workers: 5,
  inputs: {
    cidrs: input(ServiceCIDR, ({ key }) => [key, LEAVING]),
    // An address that goes may be what a range waits for; one that comes cannot make a range leave.
    addresses: input(IPAddress, ({ now }) => (now ? [] : [LEAVING])),
  },
  start(context, listers) {
    const ranges = new ServiceCIDRs(context, listers);
    return async (key) => (key === LEAVING ? ranges.reconcileLeaving() : ranges.reconcile(key));
  },
});

class ServiceCIDRs {
  private readonly context: ControllerContext;
  private readonly listers: Listers;

  constructor(context: ControllerContext, listers: Listers) {
    this.context = context;
    this.listers = listers;
  }

  reconcileLeaving(): undefined {
    for (const cidr of this.listers.cidrs.list())
      if (isLeaving(cidr)) this.context.again(cidr.metadata.name!);
    return undefined;
  }

  async reconcile(name: string): Promise<WorkResult> {
    const cidr = this.listers.cidrs.get("", name);
    if (!cidr) return undefined;
    try {
      return await (isLeaving(cidr) ? this.leave(cidr) : this.keepReady(cidr));
    } catch (error) {
      if (isReason(error, "NotFound")) return undefined;
      throw error;
    }
  }

  private async keepReady(cidr: ServiceCIDR): Promise<undefined> {
    const { name = "", finalizers } = cidr.metadata;
    const has = finalizers?.includes(FINALIZER);
    const patch = { metadata: { finalizers: [FINALIZER] } };
    const latest = has
      ? cidr
      : await this.context.client.resource(ServiceCIDR).patch(name, patch, { type: "strategic" });
    await this.tell(latest, READY);
    return undefined;
  }

  private async leave(cidr: ServiceCIDR): Promise<WorkResult> {
    const { name = "", finalizers, deletionTimestamp = "" } = cidr.metadata;
    if (!finalizers?.includes(FINALIZER)) return undefined;
    if (isNeeded(cidr, this.listers.cidrs.list(), this.listers.addresses.list())) {
      await this.tell(cidr, IN_USE);
      return undefined;
    }
    const left = Date.parse(deletionTimestamp) + DELETION_GRACE_MS - this.context.clock.now();
    if (left > 0) return { after: left };
    const patch = { metadata: { "$deleteFromPrimitiveList/finalizers": [FINALIZER] } };
    await this.context.client.resource(ServiceCIDR).patch(name, patch, { type: "strategic" });
    return undefined;
  }

  private async tell(cidr: ServiceCIDR, said: typeof READY): Promise<void> {
    const conditions = cidr.status?.conditions ?? [];
    const known = conditions.find(({ type }) => type === "Ready");
    if (known?.status === said.status && known.message === said.message) return;
    const lastTransitionTime =
      known?.status === said.status ? known.lastTransitionTime : formatTime(this.context.clock.now());
    const ready = { type: "Ready", ...said, lastTransitionTime };
    const others = conditions.filter(({ type }) => type !== "Ready");
    const status = { ...cidr.status, conditions: [...others, ready] };
    await this.context.client.resource(ServiceCIDR).updateStatus({ ...cidr, status });
  }
}

function isLeaving({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** Whether addresses that services hold would be of no range without it. */
export function isNeeded(
  cidr: ServiceCIDR,
  all: readonly ServiceCIDR[],
  addresses: readonly IPAddress[],
): boolean {
  const own = (cidr.spec?.cidrs ?? []).flatMap((text) => parseCIDR(text) ?? []);
  const others = all
    .filter(({ metadata }) => metadata.name !== cidr.metadata.name)
    .flatMap(({ spec }) => (spec?.cidrs ?? []).flatMap((text) => parseCIDR(text) ?? []));
  const within = own.every((mine) =>
    others.some((other) => other.length <= mine.length && contains(other, mine.address)),
  );
  if (within) return false;
  return addresses.some(({ metadata }) => {
    if (metadata.labels?.[MANAGED_BY] !== MANAGER) return false;
    const ip = parseIP(metadata.name);
    if (!ip || !own.some((mine) => contains(mine, ip))) return false;
    return !others.some((other) => contains(other, ip));
  });
}
