/** Keeps classes of volume attributes that are on their way out while a claim or a volume has them. */
import { PersistentVolume } from "../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../api/core/persistent-volume-claim.ts";
import { VolumeAttributesClass } from "../api/storage/volume-attributes-class.ts";
import { isReason } from "../client/status.ts";
import { type ControllerContext, defineController, input, type Listers } from "./runtime/controller.ts";

type Inputs = { classes: VolumeAttributesClass; claims: PersistentVolumeClaim; volumes: PersistentVolume };

const FINALIZER = "kubernetes.io/vac-protection";

export const volumeAttributesClassProtectionController = defineController<Inputs>({
  name: "volumeattributesclass-protection-controller",
  account: "volumeattributesclass-protection-controller",
  queue: "vacprotection",
  inputs: {
    classes: input(VolumeAttributesClass, ({ key, now }) => (now && isOdd(now) ? [key] : [])),
    // A class comes free where what had it has it no longer.
    claims: input(
      PersistentVolumeClaim,
      ({ now, was }) => (was ? without(classesOfClaim(was), now && classesOfClaim(now)) : []),
      undefined,
      { attributesClass: classesOfClaim },
    ),
    volumes: input(
      PersistentVolume,
      ({ now, was }) => (was ? without(classesOfVolume(was), now && classesOfVolume(now)) : []),
      undefined,
      { attributesClass: classesOfVolume },
    ),
  },
  start,
});

function without(was: readonly string[], now: readonly string[] = []): readonly string[] {
  return was.length === 0 ? was : was.filter((name) => !now.includes(name));
}

/** The one it wants, the one it has, and the one that it is being given. */
function classesOfClaim({ spec, status }: PersistentVolumeClaim): readonly string[] {
  const { currentVolumeAttributesClassName, modifyVolumeStatus } = status ?? {};
  const target = modifyVolumeStatus?.targetVolumeAttributesClassName;
  const names = new Set<string>();
  for (const name of [spec.volumeAttributesClassName, currentVolumeAttributesClassName, target]) {
    if (name) names.add(name);
  }
  return [...names];
}

function classesOfVolume({ spec: { volumeAttributesClassName: name } }: PersistentVolume): readonly string[] {
  return name ? [name] : [];
}

/** Whether the finalizer is missing, or is there but may have to go. */
function isOdd({ metadata }: VolumeAttributesClass): boolean {
  return (metadata.deletionTimestamp !== undefined) === (metadata.finalizers ?? []).includes(FINALIZER);
}

function start({ client }: ControllerContext, { classes, claims, volumes }: Listers<Inputs>) {
  return async (name: string) => {
    const found = classes.get("", name);
    if (!found || !isOdd(found)) return undefined;
    const { metadata } = found;
    const leaving = metadata.deletionTimestamp !== undefined;
    if (leaving && [claims, volumes].some((lister) => lister.by("attributesClass", name).length > 0)) {
      return undefined;
    }
    const known = metadata.finalizers ?? [];
    const finalizers = leaving ? known.filter((one) => one !== FINALIZER) : [...known, FINALIZER];
    try {
      await client
        .resource(VolumeAttributesClass)
        .update({ ...found, metadata: { ...metadata, finalizers } });
    } catch (error) {
      if (isReason(error, "Conflict")) return { after: 20 };
      if (!isReason(error, "NotFound")) throw error;
    }
    return undefined;
  };
}
