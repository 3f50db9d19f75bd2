/** What changed since the kernel was last written, and what the services' rules were then. */
import type { Node } from "../../api/core/node.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { Service } from "../../api/core/services.ts";
import type { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import type { Clock } from "../../base/clock.ts";
import { type Lister, splitKey } from "../../client/informer/object-store.ts";
import { CommandError, type RunCommand } from "../../host/command.ts";
import type { Sysctls } from "../../host/links/sysctls.ts";
import type { OwnedTable } from "../../host/nftables/owned-table.ts";
import { PartsBuilder } from "../../host/nftables/parts-builder.ts";
import { canonicalIP, disjointCIDRs, FAMILIES, type Family, familyOf } from "../addresses.ts";
import { type ServiceHealth, ServiceHealthServers } from "./health-servers.ts";
import { planHostPorts } from "./host-port-rules.ts";
import type { ProxyHealth } from "./proxy-health.ts";
import type { ProxyMetrics } from "./proxy-metrics.ts";
import type { ProxyOptions } from "./proxy-options.ts";
import { type DatagramFrontend, type ProxyFacts, planService, type ServicePlan } from "./service-rules.ts";
import { changedFrontends, forgetStaleFlows } from "./stale-flows.ts";
import { TriggerTimes } from "./trigger-times.ts";

export interface ProxyStateOptions {
  services: Lister<Service>;
  /** With the index `serviceName`. */
  slices: Lister<EndpointSlice>;
  table: OwnedTable;
  health: ProxyHealth;
  figures: ProxyMetrics;
  run: RunCommand;
  sysctls: Sysctls;
  log: NonNullable<ProxyOptions["log"]>;
  clock: Clock;
  nodeName: string;
  clusterCIDRs: Readonly<Record<Family, readonly string[]>>;
  nodePortAddresses: readonly string[];
}

const ZONE = "topology.kubernetes.io/zone";
const EVERYWHERE: readonly string[] = ["0.0.0.0", "::"];
const WHOLE_FAMILY: Readonly<Record<string, string>> = { "0.0.0.0/0": "0.0.0.0", "::/0": "::" };
/** Services planned in one turn of the event loop. */
const TURN = 100;

/** What of a plan is needed once its parts are claimed. */
type Kept = Pick<ServicePlan, "datagrams" | "health" | "noLocal">;

export class ProxyState {
  private readonly options: ProxyStateOptions;
  private readonly kept = new Map<string, Kept>();
  private readonly hostPorts = new Map<string, { owner: string; datagrams: readonly DatagramFrontend[] }>();
  private readonly serviceCIDRs = new Map<string, readonly string[]>();
  private readonly triggers: TriggerTimes;
  private readonly servers: ServiceHealthServers;
  private dirty = new Set<string>();
  private changedFlows: DatagramFrontend[] = [];
  private facts: ProxyFacts;
  private healthChanged = false;
  private loopbackRouted = false;
  private loopbackWanted = false;
  private flowsUnknown = false;
  private began = 0;
  private times: number[] = [];

  constructor(options: ProxyStateOptions) {
    const { clock, health, nodeName, clusterCIDRs, log } = options;
    this.options = options;
    this.triggers = new TriggerTimes(clock.now());
    this.facts = { nodeName, zone: undefined, nodeIPs: [], clusterCIDRs };
    this.claimNodePortAddresses();
    this.servers = new ServiceHealthServers(health, (port, error) =>
      log("warn", "a health check node port could not be opened", { port, error: String(error) }),
    );
  }

  serviceChanged(key: string): void {
    this.dirty.add(key);
    this.options.figures.servicesTotal.add();
    this.options.figures.servicesPending.value++;
  }

  sliceChanged(now: EndpointSlice | undefined, services: readonly string[]): void {
    for (const key of services) this.dirty.add(key);
    if (now) this.triggers.see(now);
    this.options.figures.endpointsTotal.add();
    this.options.figures.endpointsPending.value++;
  }

  cidrChanged(name: string, cidrs: readonly string[]): void {
    if (cidrs.length > 0) this.serviceCIDRs.set(name, cidrs);
    else this.serviceCIDRs.delete(name);
    this.claimRanges("service-cidrs", [...this.serviceCIDRs.values()].flat());
  }

  /** Returns whether it matters to the rules. */
  nodeChanged(node: Node | undefined): boolean {
    const labels = node?.metadata.labels;
    const zone = labels && Object.hasOwn(labels, ZONE) ? labels[ZONE] : undefined;
    const addresses = node?.status?.addresses ?? [];
    const nodeIPs = addresses.flatMap(({ type, address }) =>
      type === "InternalIP" ? (canonicalIP(address) ?? []) : [],
    );
    const same = zone === this.facts.zone && nodeIPs.join() === this.facts.nodeIPs.join();
    if (same) return false;
    this.facts = { ...this.facts, zone, nodeIPs };
    this.claimNodePortAddresses();
    for (const { metadata } of this.options.services.list()) {
      this.dirty.add(`${metadata.namespace}/${metadata.name}`);
    }
    this.healthChanged = true;
    return true;
  }

  /** Returns whether it matters to the rules. */
  podChanged(key: string, pod: Pod | undefined): boolean {
    const was = this.hostPorts.get(key);
    const plan = pod && planHostPorts(pod);
    if (!plan && !was) return false;
    const { table } = this.options;
    if (was) table.claim(was.owner, undefined);
    this.changedFlows.push(...changedFrontends(was?.datagrams ?? [], plan?.datagrams ?? []));
    this.hostPorts.delete(key);
    if (!plan) return true;
    // A pod that is leaving gives way to the one that takes its port.
    const owner = `host-port/${pod.metadata.deletionTimestamp ? "leaving" : "here"}/${key}`;
    table.claim(owner, plan.parts);
    this.hostPorts.set(key, { owner, datagrams: plan.datagrams });
    this.loopbackWanted ||= plan.fromLoopback;
    return true;
  }

  /** Claims what the changed services want now. */
  async plan(): Promise<void> {
    const { clock, figures } = this.options;
    this.began = clock.now();
    const keys = [...this.dirty];
    this.dirty = new Set();
    this.times.push(...this.triggers.take());
    figures.servicesPending.set(0);
    figures.endpointsPending.set(0);
    for (const [i, key] of keys.entries()) {
      if (i > 0 && i % TURN === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      try {
        this.planOne(key);
      } catch (error) {
        // It keeps the rules that it had, and the others get theirs.
        this.options.log("error", "a service could not be planned", { service: key, error: String(error) });
      }
    }
    if (this.loopbackWanted && !this.loopbackRouted) await this.routeLoopback();
  }

  /** The kernel has it. */
  async done(whole: boolean): Promise<void> {
    const { clock, figures, health } = this.options;
    const now = clock.now();
    const took = (now - this.began) / 1000;
    figures.sync.observe(took);
    (whole ? figures.fullSync : figures.partialSync).observe(took);
    figures.lastSync.set(now / 1000);
    for (const time of this.times) figures.programming.observe(Math.max(0, now - time) / 1000);
    this.times = [];
    health.updated(this.dirty.size > 0 ? this.began : undefined);
    await this.forgetFlows();
    if (this.healthChanged) await this.serveHealth();
  }

  async close(): Promise<void> {
    await this.servers.close();
  }

  private planOne(key: string): void {
    const { services, slices, table } = this.options;
    const { namespace, name } = splitKey(key);
    const service = services.get(namespace, name);
    const plan = service && planService(service, slices.by("serviceName", key), this.facts);
    const was = this.kept.get(key);
    if (!plan && !was) return;
    table.claim(`service/${key}`, plan?.parts);
    this.changedFlows.push(...changedFrontends(was?.datagrams ?? [], plan?.datagrams ?? []));
    if (plan) {
      const { datagrams, health, noLocal } = plan;
      this.loopbackWanted ||= plan.fromLoopback;
      this.kept.set(key, { datagrams, health, noLocal });
    } else this.kept.delete(key);
    this.healthChanged ||=
      was?.health?.port !== plan?.health?.port ||
      was?.health?.localEndpoints !== plan?.health?.localEndpoints;
    for (const policy of ["internal", "external"] as const) {
      this.options.figures.noLocalEndpoints.of(policy).value +=
        Math.sign(plan?.noLocal[policy] ?? 0) - Math.sign(was?.noLocal[policy] ?? 0);
    }
  }

  private async forgetFlows(): Promise<void> {
    const { clock, run, figures, log } = this.options;
    const changed = this.changedFlows;
    this.changedFlows = [];
    if (changed.length === 0 || this.flowsUnknown) return;
    const began = clock.now();
    try {
      for (const family of FAMILIES) {
        const ofFamily = changed.filter((frontend) => frontend.family === family);
        const forgotten = await forgetStaleFlows(run, ofFamily, new Set(this.facts.nodeIPs));
        figures.forgottenFlows.of(`IPv${family}`).add(forgotten);
      }
    } catch (error) {
      // Without the program it would fail at every change.
      this.flowsUnknown = error instanceof CommandError && error.code === undefined;
      log("warn", "stale flows of datagrams could not be forgotten", { error: String(error) });
    }
    figures.flows.observe((clock.now() - began) / 1000);
  }

  private async serveHealth(): Promise<void> {
    this.healthChanged = false;
    const wanted = new Map<number, ServiceHealth>();
    for (const [key, { health }] of this.kept) {
      if (health) wanted.set(health.port, { ...splitKey(key), localEndpoints: health.localEndpoints });
    }
    const { nodePortAddresses } = this.options;
    const hosts = nodePortAddresses.includes("primary") ? this.primaryIPs() : EVERYWHERE;
    const whole = nodePortAddresses.flatMap((cidr) => WHOLE_FAMILY[cidr] ?? []);
    await this.servers.serve(wanted, whole.length > 0 ? whole : hosts);
  }

  /** The node's first address of each family. */
  private primaryIPs(): string[] {
    const { nodeIPs } = this.facts;
    return FAMILIES.flatMap((family) => nodeIPs.find((address) => familyOf(address) === family) ?? []);
  }

  private claimNodePortAddresses(): void {
    const said = this.options.nodePortAddresses;
    const addresses = said.flatMap((address) => (address === "primary" ? this.primaryIPs() : [address]));
    this.claimRanges("nodeport-ips", addresses);
  }

  private claimRanges(set: string, ranges: readonly string[]): void {
    const parts = new PartsBuilder();
    for (const range of disjointCIDRs(ranges)) parts.element(`${set}${familyOf(range)}`, range);
    this.options.table.claim(set, parts);
  }

  /** Else the kernel takes an answer from a pod to the loopback for forged. Neighbours are kept out by a rule. */
  private async routeLoopback(): Promise<void> {
    const { sysctls, log } = this.options;
    this.loopbackRouted = true;
    try {
      await sysctls.set(["net", "ipv4", "conf", "all", "route_localnet"], "1");
    } catch (error) {
      log("warn", "host ports and node ports cannot be reached at 127.0.0.1", { error: String(error) });
    }
  }
}
