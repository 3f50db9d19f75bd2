import assert from "node:assert/strict";
import test from "node:test";
import type { Pod } from "../../../api/schema/core.v1.generated.ts";
import type { CSIDriver } from "../../../api/storage/csi-driver.ts";
import { accessModeOf, type CSIVolume, checkLifecycle, groupToGive, stagingPath } from "./csi-volume.ts";
import { AccessMode, NodeCapability } from "./messages.ts";

const VOLUME: CSIVolume = {
  driver: "d.test",
  handle: "h",
  name: "pv",
  isEphemeral: false,
  isBlock: false,
  readOnly: false,
  fsType: "ext4",
  accessModes: ["ReadWriteOnce"],
  mountOptions: [],
  attributes: {},
};

function driver(spec: CSIDriver["spec"]): CSIDriver {
  return { apiVersion: "storage.k8s.io/v1", kind: "CSIDriver", metadata: { name: "d.test" }, spec };
}

test("drivers get the access mode that they know", () => {
  const more = new Set([NodeCapability.SINGLE_NODE_MULTI_WRITER]);
  const mode = (name: string, capabilities: ReadonlySet<number> = new Set()) =>
    accessModeOf({ ...VOLUME, accessModes: [name] }, capabilities);
  assert.equal(mode("ReadWriteOnce"), AccessMode.SINGLE_NODE_WRITER);
  assert.equal(mode("ReadWriteOnce", more), AccessMode.SINGLE_NODE_MULTI_WRITER);
  assert.equal(mode("ReadWriteOncePod"), AccessMode.SINGLE_NODE_WRITER);
  assert.equal(mode("ReadWriteOncePod", more), AccessMode.SINGLE_NODE_SINGLE_WRITER);
  assert.equal(mode("ReadOnlyMany"), AccessMode.MULTI_NODE_READER_ONLY);
  assert.equal(mode("ReadWriteMany"), AccessMode.MULTI_NODE_MULTI_WRITER);
});

test("the group of the pod gets a volume as its driver's policy says", () => {
  const pod = { spec: { containers: [], securityContext: { fsGroup: 7 } } } as unknown as Pod;
  const given = (policy: string, more: Partial<CSIVolume> = {}) =>
    groupToGive({ ...VOLUME, ...more }, pod, driver({ fsGroupPolicy: policy }));
  assert.equal(given("ReadWriteOnceWithFSType"), 7);
  assert.equal(given("ReadWriteOnceWithFSType", { fsType: "" }), undefined);
  assert.equal(given("ReadWriteOnceWithFSType", { accessModes: ["ReadWriteMany"] }), undefined);
  assert.equal(given("File", { fsType: "", accessModes: ["ReadWriteMany"] }), 7);
  assert.equal(given("File", { readOnly: true }), undefined);
  assert.equal(given("File", { isBlock: true }), undefined);
  assert.equal(given("None"), undefined);
  assert.equal(groupToGive(VOLUME, { spec: { containers: [] } } as unknown as Pod, undefined), undefined);
});

test("a driver mounts what it is for", () => {
  const inline = { ...VOLUME, isEphemeral: true };
  checkLifecycle(VOLUME, undefined);
  checkLifecycle(VOLUME, driver({}));
  checkLifecycle(inline, driver({ volumeLifecycleModes: ["Persistent", "Ephemeral"] }));
  assert.throws(() => checkLifecycle(inline, undefined), {
    message: 'volume mode "Ephemeral" not supported by driver d.test (no CSIDriver object)',
  });
  assert.throws(() => checkLifecycle(VOLUME, driver({ volumeLifecycleModes: ["Ephemeral"] })), {
    message: 'volume mode "Persistent" not supported by driver d.test (only supports ["Ephemeral"])',
  });
});

test("a volume is staged where upstream has it", () => {
  const hash = "aaa9402664f1a41f40ebbc52c9993eb66aeb366602958fdfaa283b71e64db123";
  assert.equal(stagingPath("/r", VOLUME), `/r/plugins/kubernetes.io/csi/d.test/${hash}/globalmount`);
  assert.equal(
    stagingPath("/r", { ...VOLUME, isBlock: true }),
    "/r/plugins/kubernetes.io/csi/volumeDevices/staging/pv",
  );
});
