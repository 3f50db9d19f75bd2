/** The volumes of this node's pods: set up, kept up to date, and taken down. */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { Node } from "../../api/core/node.ts";
import { Pod as PodKind } from "../../api/core/pod/pod.ts";
import { RuntimeClass } from "../../api/node/runtime-class.ts";
import type { Container, Pod, Volume } from "../../api/schema/core.v1.generated.ts";
import { CSIDriver } from "../../api/storage/csi-driver.ts";
import type { Informer } from "../../client/informer/informer.ts";
import { type Mounts, openMounts } from "../../host/mounts/mounts.ts";
import { removeTree } from "../../host/mounts/remove-tree.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { PodError, type PodVolumes } from "../ports.ts";
import { checkNodeAffinity, persistentSource } from "./claims.ts";
import { type ContainerMountPorts, containerDevices, containerMounts } from "./container-mounts.ts";
import { contentPlugins } from "./content-volumes.ts";
import { csiPlugin } from "./csi/csi-plugin.ts";
import { DriverRegistry } from "./csi/driver-registry.ts";
import { emptyDirPlugin } from "./empty-dir.ts";
import { hostPathPlugin } from "./host-path.ts";
import { ImageVolumes, type ShownImage } from "./image-volume.ts";
import { localVolumePlugin } from "./local-volume.ts";
import { type PodPaths, podPaths, podsDirectory, volatileDirectory } from "./pod-paths.ts";
import { fsGroupOf, usedVolumes } from "./pod-volume-use.ts";
import { PodVolumesEntry } from "./pod-volumes-entry.ts";
import { ServiceAccountTokens } from "./service-account-tokens.ts";
import { volumeFailure } from "./volume-failure.ts";
import type { KubeletVolumes, VolumeManagerOptions } from "./volume-manager-options.ts";
import { VolumeError, type VolumePlugin, type VolumeRequest } from "./volume-plugin.ts";

export function createVolumeManager(options: VolumeManagerOptions): KubeletVolumes {
  return new Manager(options);
}

const READ_WRITE_ONCE_POD = "ReadWriteOncePod";

class Manager implements KubeletVolumes {
  private readonly options: VolumeManagerOptions;
  private readonly mounts: Mounts;
  private readonly tokens: ServiceAccountTokens;
  private readonly nodes: Informer<Node>;
  private readonly runtimeClasses: Informer<RuntimeClass>;
  private readonly registry: DriverRegistry;
  private readonly imageVolumes: ImageVolumes;
  private readonly plugins: readonly VolumePlugin[];
  private readonly entries = new Map<string, PodVolumesEntry>();
  private readonly leave: (() => void)[] = [];
  /** Pods that a former life of the kubelet mounted something for, until they are seen. */
  private former = new Set<string>();
  private volatile: Promise<void> | undefined;

  constructor(options: VolumeManagerOptions) {
    const { client, clock, random, objects, localStorage } = options;
    this.options = options;
    this.mounts = options.mounts ?? openMounts();
    this.tokens = new ServiceAccountTokens(client, clock, random);
    this.nodes = options.informers.of(Node, { fieldSelector: `metadata.name=${options.nodeName}` });
    this.runtimeClasses = options.informers.of(RuntimeClass);
    this.registry = new DriverRegistry({
      directory: join(options.root, "plugins_registry"),
      nodeName: options.nodeName,
      client,
      clock,
      log: (level, text, facts) => options.log?.(level, text, facts),
    });
    const { runtime, images, imageViews: views } = options;
    this.imageVolumes = new ImageVolumes({ runtime, images, mounts: this.mounts, views });
    const ports = {
      objects,
      clock,
      tokens: this.tokens,
      allocatable: () => this.node()?.status?.allocatable ?? {},
      volatileReady: () => this.volatileReady(),
    };
    this.plugins = [
      ...contentPlugins(ports),
      emptyDirPlugin(this.mounts, () => this.memoryOfNode()),
      hostPathPlugin,
      localVolumePlugin(localStorage),
      this.imageVolumes.plugin,
      csiPlugin({
        ...options,
        tokens: this.tokens,
        registry: this.registry,
        nodes: this.nodes,
        drivers: options.informers.of(CSIDriver),
      }),
    ];
    this.nodes.start();
    this.runtimeClasses.start();
    this.leave.push(objects.subscribe((podUID) => this.changed(podUID)));
  }

  async start(): Promise<void> {
    this.former = new Set(await this.podUIDs());
    await this.registry.start();
    const { informers, nodeName } = this.options;
    const pods = informers.of(PodKind, { fieldSelector: `spec.nodeName=${nodeName}` });
    this.leave.push(pods.subscribe(({ now }) => now && this.follow(now)));
    pods.start();
    this.leave.push(this.nodes.subscribe(({ now, was }) => now && !was && this.registry.announce()));
  }

  async stop(): Promise<void> {
    for (const leave of this.leave) leave();
    for (const entry of this.entries.values()) {
      entry.gone = true;
      entry.setTimer(undefined);
    }
    await Promise.all([...this.entries.values()].map((entry) => entry.inLine(async () => {})));
    await this.registry.stop();
  }

  setUp(pod: Pod): Promise<PodVolumes> {
    const entry = this.entryOf(pod);
    entry.pod = pod;
    return entry.inLine(async () => {
      const failures = await this.mountAll(entry);
      this.setTimer(entry);
      if (failures.length > 0) throw failures[0];
      return this.volumesOf(entry);
    });
  }

  async tearDown(podUID: string): Promise<void> {
    const paths = podPaths(this.options.root, podUID);
    const entry = this.entries.get(podUID);
    this.entries.delete(podUID);
    if (entry) entry.gone = true;
    entry?.setTimer(undefined);
    await (entry ? entry.inLine(() => this.remove(paths)) : this.remove(paths));
  }

  async podUIDs(): Promise<readonly string[]> {
    const { root } = this.options;
    const found = await Promise.all([podsDirectory(root), volatileDirectory(root)].map(namesIn));
    return [...new Set(found.flat())];
  }

  inUse(): readonly string[] {
    const names = new Set<string>();
    for (const { mounted } of this.entries.values())
      for (const { uniqueName } of mounted.values()) if (uniqueName) names.add(uniqueName);
    return [...names].sort();
  }

  private entryOf(pod: Pod): PodVolumesEntry {
    const { uid = "" } = pod.metadata;
    const known = this.entries.get(uid);
    if (known) return known;
    const entry = new PodVolumesEntry(pod, podPaths(this.options.root, uid));
    this.entries.set(uid, entry);
    return entry;
  }

  /** All at once; what went wrong. */
  private async mountAll(entry: PodVolumesEntry): Promise<PodError[]> {
    const failures = await Promise.all(
      usedVolumes(entry.pod).map((volume) =>
        this.mountOne(entry, volume).catch((error) => error as PodError),
      ),
    );
    return failures.filter((failure) => failure !== undefined);
  }

  private async mountOne(entry: PodVolumesEntry, volume: Volume): Promise<undefined> {
    const { name } = volume;
    if (entry.mounted.has(name) && !entry.kept.has(name)) return;
    const { client } = this.options;
    const { pod, paths } = entry;
    let request: VolumeRequest = { pod, paths, volume };
    try {
      const persistent = await persistentSource(client, pod, volume, entry.mounted.has(name));
      if (persistent) {
        request = { ...request, persistent };
        const { metadata, spec } = persistent.volume;
        checkNodeAffinity(persistent.volume, this.node());
        this.checkOnlyPod(entry, metadata.name ?? "", spec.accessModes);
      }
      const plugin = this.plugins.find((one) => one.owns(request));
      if (!plugin) throw new VolumeError("no volume plugin matched");
      const mounted = await plugin.setUp(request);
      entry.mounted.set(name, {
        ...mounted,
        source: persistent?.volume.metadata.name,
        group: groupOf(request),
      });
      if (plugin.keepsUp || mounted.renewAt !== undefined) entry.kept.set(name, volume);
    } catch (error) {
      throw volumeFailure(error, request);
    }
  }

  private checkOnlyPod(entry: PodVolumesEntry, name: string, modes: readonly string[] = []): void {
    if (!modes.includes(READ_WRITE_ONCE_POD)) return;
    for (const other of this.entries.values()) {
      if (other === entry) continue;
      for (const { source } of other.mounted.values()) {
        if (source !== name) continue;
        throw new VolumeError(
          "volume uses the ReadWriteOncePod access mode and is already in use by another pod",
        );
      }
    }
  }

  private volumesOf(entry: PodVolumesEntry): PodVolumes {
    const group = fsGroupOf(entry.pod);
    const groups = [...entry.mounted.values()].flatMap((volume) => volume.group ?? []);
    const ports: ContainerMountPorts = {
      mounts: this.mounts,
      showImage: (name) => this.showImage(entry, name),
      canMountRecursivelyReadOnly: () => this.canMountRecursivelyReadOnly(entry.pod),
    };
    return {
      pullImages: (container) => this.pullImages(entry, container),
      mountsOf: (container: Container, environment = new Map()) =>
        containerMounts(ports, entry.paths, container, entry.mounted, environment),
      devicesOf: (container) => containerDevices(container, entry.mounted),
      directoryOf: (volume) => entry.mounted.get(volume)?.hostPath,
      fsGroups: [...new Set(group === undefined ? groups : [group, ...groups])],
    };
  }

  private async pullImages(entry: PodVolumesEntry, { volumeMounts = [] }: Container): Promise<void> {
    const { pod, paths, mounted, pulled } = entry;
    const pull = async (name: string): Promise<void> => {
      const image = mounted.get(name)?.image;
      const imageRef = image && (await this.imageVolumes.pull({ pod, paths, name, ...image }));
      if (imageRef !== undefined) pulled.set(name, imageRef);
    };
    await Promise.all(volumeMounts.map(({ name }) => pull(name)));
  }

  private showImage(entry: PodVolumesEntry, name: string): Promise<ShownImage> {
    return entry.inLine(() => {
      if (entry.gone) throw new PodError("CreateContainerError", "the volumes of the pod are gone");
      return this.imageVolumes.show({ paths: entry.paths, name, imageRef: entry.pulled.get(name) });
    });
  }

  private async canMountRecursivelyReadOnly({ spec }: Pod): Promise<boolean> {
    const className = spec?.runtimeClassName;
    if (className) await this.runtimeClasses.synced;
    const handler = className ? this.runtimeClasses.lister.get("", className)?.handler : "";
    const { runtimeHandlers } = await this.options.runtime.status({});
    const { features } = runtimeHandlers.find(({ name }) => name === handler) ?? {};
    return features?.recursiveReadOnlyMounts ?? false;
  }

  /** An object that the pod uses is another now. */
  private changed(podUID: string): void {
    const entry = this.entries.get(podUID);
    if (!entry || entry.gone || entry.willRefresh) return;
    entry.willRefresh = true;
    // What is just being set up may have been read before the change: it has its turn first.
    void entry.inLine(() => this.refresh(entry));
  }

  /** What volumes show of the pod follows it; those of a former life of the kubelet are kept up to date from now on. */
  private follow(pod: Pod): void {
    const { uid = "", deletionTimestamp } = pod.metadata;
    const entry = this.entries.get(uid);
    if (entry) {
      const isSame = shownOf(entry.pod) === shownOf(pod);
      entry.pod = pod;
      if (!isSame) this.changed(uid);
      return;
    }
    if (!this.former.delete(uid) || deletionTimestamp || pod.status?.phase !== "Running") return;
    this.setUp(pod).catch((error: PodError) => this.tell(pod, error));
  }

  private async refresh(entry: PodVolumesEntry): Promise<void> {
    entry.willRefresh = false;
    if (entry.gone) return;
    const results = await Promise.allSettled(
      [...entry.kept.values()].map((one) => this.mountOne(entry, one)),
    );
    this.setTimer(entry);
    for (const result of results) {
      if (result.status === "rejected") this.tell(entry.pod, result.reason as PodError);
    }
  }

  private tell(pod: Pod, { reason, message }: PodError): void {
    this.options.events.record(pod, "Warning", reason, message);
    this.options.log?.("warn", "a volume could not be brought up to date", { message });
  }

  /** For the first of the pod's tokens that grows old. */
  private setTimer(entry: PodVolumesEntry): void {
    const { clock } = this.options;
    const due = [...entry.mounted.values()].flatMap((volume) => volume.renewAt ?? []);
    entry.setTimer(
      due.length === 0 || entry.gone
        ? undefined
        : () =>
            clock.setTimer(Math.max(0, Math.min(...due) - clock.now()), () => this.changed(entry.paths.uid)),
    );
  }

  private async remove(paths: PodPaths): Promise<void> {
    for (const plugin of this.plugins) await plugin.tearDown?.(paths);
    await this.mounts.unmountBelow(paths.pod);
    await removeTree(this.mounts, paths.pod);
    await removeTree(this.mounts, paths.volatile);
    this.tokens.forget(paths.uid);
    this.options.objects.release(paths.uid);
  }

  /** One tmpfs for all pods, mounted when it is first needed: a mount for each of their secrets would take its time. */
  private volatileReady(): Promise<void> {
    this.volatile ??= this.mountVolatile().catch((error: unknown) => {
      this.volatile = undefined;
      throw error;
    });
    return this.volatile;
  }

  private async mountVolatile(): Promise<void> {
    const target = volatileDirectory(this.options.root);
    await mkdir(target, { recursive: true, mode: 0o700 });
    if (await this.mounts.isMountPoint(target)) return;
    await this.mounts.mount({ type: "tmpfs", source: "tmpfs", target, options: ["mode=0700"] });
  }

  private node(): Node | undefined {
    return this.nodes.lister.get("", this.options.nodeName);
  }

  private memoryOfNode(): number | undefined {
    const memory = this.node()?.status?.allocatable?.memory;
    return memory === undefined ? undefined : Quantity.parse(memory).value();
  }
}

/** What downward API volumes may show of a pod that can change. */
function shownOf({ metadata, spec }: Pod): string {
  const resources = [spec?.resources, ...(spec?.containers ?? []).map((container) => container.resources)];
  return JSON.stringify([metadata.labels, metadata.annotations, resources]);
}

const GROUP = "pv.beta.kubernetes.io/gid";

/** The group that a PersistentVolume says by its annotation. */
function groupOf({ persistent }: VolumeRequest): number | undefined {
  const said = persistent?.volume.metadata.annotations?.[GROUP];
  return said !== undefined && /^\d+$/.test(said) ? Number(said) : undefined;
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
