/**
 * The CSI drivers of this node. A driver makes itself known by a socket in `<root>/plugins_registry`: it is asked who it
 * is, told in the node's CSINode, annotation and labels, and then used. When its socket goes, so does what was told.
 */
import { type FSWatcher, watch } from "node:fs";
import { mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Node } from "../../../api/core/node.ts";
import { CSINode } from "../../../api/storage/csi-node.ts";
import type { Clock } from "../../../base/clock.ts";
import type { Client } from "../../../client/client.ts";
import { isReason } from "../../../client/status.ts";
import { type DriverClient, openDriver, openRegistrar } from "./driver-client.ts";
import { type NodeDriver, nodePatch, withDriver } from "./node-drivers.ts";

export interface DriverRegistryOptions {
  /** `<root>/plugins_registry` */
  directory: string;
  nodeName: string;
  client: Client;
  clock: Clock;
  log(level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>): void;
}

export interface RegisteredDriver {
  name: string;
  client: DriverClient;
  capabilities: ReadonlySet<number>;
}

const CSI_PLUGIN = "CSIPlugin";
/** Milliseconds until a plugin that does not answer yet is asked again: growing as below. */
const FIRST_RETRY = 500;
const LONGEST_RETRY = 60_000;
/** So often a write that another one came before is tried again. */
const CONFLICTS = 5;

interface Plugin {
  /** Which socket it is: a driver that starts anew makes another of the same name. */
  identity: string;
  driver?: RegisteredDriver;
  cancel?: () => void;
}

export class DriverRegistry {
  private readonly options: DriverRegistryOptions;
  private readonly plugins = new Map<string, Plugin>();
  private watcher: FSWatcher | undefined;
  private line: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(options: DriverRegistryOptions) {
    this.options = options;
  }

  get(name: string): RegisteredDriver | undefined {
    for (const { driver } of this.plugins.values()) if (driver?.name === name) return driver;
    return undefined;
  }

  async start(): Promise<void> {
    const { directory } = this.options;
    await mkdir(directory, { recursive: true, mode: 0o750 });
    this.watcher = watch(directory, () => this.look());
    this.watcher.on("error", (error) => this.warn("plugins can no longer be seen to come and go", error));
    // Not waited for: a plugin may be slow to answer.
    this.look();
  }

  /** The node is registered: it has a CSINode from now on, whether it has drivers or not. */
  announce(): void {
    this.line = this.line
      .then(() => (this.stopped ? undefined : this.tell("", undefined)))
      .catch((error: unknown) => this.warn("the node's CSINode could not be made", error));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.watcher?.close();
    await this.line;
    for (const { driver, cancel } of this.plugins.values()) {
      cancel?.();
      driver?.client.close();
    }
    this.plugins.clear();
  }

  /** Compares what is there with what is known, one look after the other. */
  private look(): void {
    this.line = this.line
      .then(() => (this.stopped ? undefined : this.compare()))
      .catch((error: unknown) => this.warn("plugins could not be looked for", error));
  }

  private async compare(): Promise<void> {
    const sockets = await this.sockets();
    for (const [path, plugin] of this.plugins) {
      if (sockets.get(path) === plugin.identity) continue;
      this.plugins.delete(path);
      plugin.cancel?.();
      await this.remove(plugin);
    }
    for (const [path, identity] of sockets) {
      if (this.plugins.has(path)) continue;
      const plugin: Plugin = { identity };
      this.plugins.set(path, plugin);
      await this.register(path, plugin, FIRST_RETRY);
    }
  }

  private async sockets(): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const name of await readdir(this.options.directory)) {
      if (name.startsWith(".")) continue;
      const path = join(this.options.directory, name);
      const stats = await stat(path).catch(() => undefined);
      if (stats?.isSocket()) found.set(path, `${stats.ino} ${stats.ctimeMs}`);
    }
    return found;
  }

  private async register(path: string, plugin: Plugin, retry: number): Promise<void> {
    const registrar = openRegistrar(path);
    try {
      const info = await registrar.getInfo();
      if (info.type !== CSI_PLUGIN) return;
      try {
        plugin.driver = await this.accept(info);
        await registrar.notify({ pluginRegistered: true });
      } catch (error) {
        await registrar.notify({ pluginRegistered: false, error: (error as Error).message });
        throw error;
      }
    } catch (error) {
      this.warn(`the plugin at ${path} could not be registered`, error);
      plugin.cancel = this.options.clock.setTimer(retry, () => {
        const again = async (): Promise<void> => {
          if (this.stopped || this.plugins.get(path) !== plugin) return;
          await this.register(path, plugin, Math.min(retry * 2, LONGEST_RETRY));
        };
        this.line = this.line.then(again);
      });
    } finally {
      registrar.close();
    }
  }

  private async accept(info: {
    name: string;
    endpoint: string;
    supportedVersions: string[];
  }): Promise<RegisteredDriver> {
    const { name, endpoint, supportedVersions } = info;
    if (!supportedVersions.some((version) => /^v?1\./.test(version))) {
      throw new Error(
        `none of the CSI versions reported by the driver are supported: ${supportedVersions.join(", ")}`,
      );
    }
    const client = openDriver(endpoint);
    try {
      const [said, { capabilities }] = await Promise.all([
        client.nodeGetInfo({}),
        client.nodeGetCapabilities({}),
      ]);
      await this.tell(name, {
        name,
        nodeID: said.nodeId,
        maxVolumes: said.maxVolumesPerNode,
        topology: said.accessibleTopology?.segments ?? new Map(),
      });
      const types = capabilities.map(({ rpc }) => rpc?.type ?? 0);
      return { name, client, capabilities: new Set(types) };
    } catch (error) {
      client.close();
      throw error;
    }
  }

  private async remove({ driver }: Plugin): Promise<void> {
    if (!driver) return;
    driver.client.close();
    await this.tell(driver.name, undefined).catch((error: unknown) =>
      this.warn(`the driver ${driver.name} is gone, and that could not be told`, error),
    );
  }

  private async tell(name: string, driver: NodeDriver | undefined): Promise<void> {
    const { client, nodeName } = this.options;
    const nodes = client.resource(Node);
    const node = await nodes.get(nodeName);
    const patch = nodePatch(node, name, driver);
    if (patch) await nodes.patch(nodeName, patch, { type: "merge" });
    for (let i = 1; ; i++) {
      try {
        return await this.writeCSINode(node, name, driver);
      } catch (error) {
        if (i === CONFLICTS || !isReason(error, "Conflict", "AlreadyExists")) throw error;
      }
    }
  }

  private async writeCSINode(node: Node, name: string, driver: NodeDriver | undefined): Promise<void> {
    const csiNodes = this.options.client.resource(CSINode);
    const known = await csiNodes.get(this.options.nodeName).catch((error: unknown) => {
      if (isReason(error, "NotFound")) return undefined;
      throw error;
    });
    const wanted = withDriver(known, node, name, driver);
    if (!wanted) return;
    if (known) await csiNodes.update(wanted);
    else await csiNodes.create(wanted);
  }

  private warn(text: string, error: unknown): void {
    if (!this.stopped) this.options.log("warn", text, { error: String(error) });
  }
}
