import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startServer } from "./server.ts";

const server = await startServer();
await server.ok("create serviceaccount default");

const FILE = fileURLToPath(new URL("testdata/objects.yaml", import.meta.url));

const POD_STATUS = {
  phase: "Running",
  podIP: "10.1.1.1",
  podIPs: [{ ip: "10.1.1.1" }],
  initContainerStatuses: [
    {
      name: "i",
      ready: true,
      image: "i",
      imageID: "x",
      restartCount: 0,
      state: { terminated: { exitCode: 0 } },
    },
  ],
  containerStatuses: [
    { name: "a", ready: true, image: "b", imageID: "x", restartCount: 2, state: { running: {} } },
    {
      name: "c",
      ready: false,
      image: "d",
      imageID: "x",
      restartCount: 3,
      state: { waiting: { reason: "CrashLoopBackOff" } },
    },
  ],
};

/** What is asked for, the head of the table, and the row of the named object; ages are shown as `?`. */
const TABLES: readonly (readonly [resource: string, head: string, row: string])[] = [
  [
    "node/n1",
    "NAME STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL-VERSION CONTAINER-RUNTIME",
    "n1 Unknown,SchedulingDisabled control-plane ? <none> <none> <unknown> <unknown> <unknown>",
  ],
  [
    "pv/pv",
    "NAME CAPACITY ACCESS_MODES RECLAIM_POLICY STATUS CLAIM STORAGECLASS VOLUMEATTRIBUTESCLASS REASON AGE VOLUMEMODE",
    "pv 1Gi RWO,ROX Retain Pending default/c <unset> ? Filesystem",
  ],
  [
    "pvc/pvc",
    "NAME STATUS VOLUME CAPACITY ACCESS_MODES STORAGECLASS VOLUMEATTRIBUTESCLASS AGE VOLUMEMODE",
    "pvc Pending fast <unset> ? Filesystem",
  ],
  [
    "sc/fast",
    "NAME PROVISIONER RECLAIMPOLICY VOLUMEBINDINGMODE ALLOWVOLUMEEXPANSION AGE",
    "fast_(default) a.b/c Delete Immediate false ?",
  ],
  ["ing/ing", "NAME CLASS HOSTS ADDRESS PORTS AGE", "ing nginx a.b,c.d 80,_443 ?"],
  ["netpol/np", "NAME POD-SELECTOR AGE", "np a=b ?"],
  ["pdb/pdb", "NAME MIN_AVAILABLE MAX_UNAVAILABLE ALLOWED_DISRUPTIONS AGE", "pdb 1 N/A 0 ?"],
  [
    "cj/cj",
    "NAME SCHEDULE TIMEZONE SUSPEND ACTIVE LAST_SCHEDULE AGE CONTAINERS IMAGES SELECTOR",
    "cj *_*_*_*_* Europe/Berlin False 0 <none> ? a b <none>",
  ],
  ["sts/sts", "NAME READY AGE CONTAINERS IMAGES", "sts 0/2 ? a b"],
  [
    "ds/ds",
    "NAME DESIRED CURRENT READY UP-TO-DATE AVAILABLE NODE_SELECTOR AGE CONTAINERS IMAGES SELECTOR",
    "ds 0 0 0 0 0 x=z ? a b a=b",
  ],
  [
    "deploy/dep",
    "NAME READY UP-TO-DATE AVAILABLE AGE CONTAINERS IMAGES SELECTOR",
    "dep 0/1 0 0 ? a,c b,d a=b",
  ],
  [
    "endpointslice/es",
    "NAME ADDRESSTYPE PORTS ENDPOINTS AGE",
    "es IPv4 80 10.0.0.1,10.0.0.2,10.0.0.3_+_1_more... ?",
  ],
  ["lease/lease", "NAME HOLDER AGE", "lease me ?"],
  [
    "svc/lb",
    "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE SELECTOR",
    "lb LoadBalancer 10.96.0.80 <pending> 80:30080/TCP,53:30053/UDP ? a=b",
  ],
  [
    "svc/en",
    "NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE SELECTOR",
    "en ExternalName <none> a.b.c <none> ? <none>",
  ],
  ["rc/rc", "NAME DESIRED CURRENT READY AGE CONTAINERS IMAGES SELECTOR", "rc 1 0 0 ? a b a=b"],
  [
    "pod/pod",
    "NAME READY STATUS RESTARTS AGE IP NODE NOMINATED_NODE READINESS_GATES",
    "pod 1/2 CrashLoopBackOff 5 ? 10.1.1.1 n1 <none> 0/1",
  ],
  ["runtimeclass/rtc", "NAME HANDLER AGE", "rtc runc ?"],
  [
    "csidriver/drv.x",
    "NAME ATTACHREQUIRED PODINFOONMOUNT STORAGECAPACITY TOKENREQUESTS REQUIRESREPUBLISH MODES AGE",
    "drv.x true false true a false Persistent ?",
  ],
  ["csinode/n1", "NAME DRIVERS AGE", "n1 1 ?"],
  ["volumeattachment/va", "NAME ATTACHER PV NODE ATTACHED AGE", "va drv.x pv n1 false ?"],
  ["ingressclass/nginx", "NAME CONTROLLER PARAMETERS AGE", "nginx a.b/c Foo.x.y/bar ?"],
  [
    "hpa/hpa",
    "NAME REFERENCE TARGETS MINPODS MAXPODS REPLICAS AGE",
    "hpa Deployment/dep cpu:_<unknown>/50%,_memory:_<unknown>/1Gi 1 3 0 ?",
  ],
  [
    "pc/system-node-critical",
    "NAME VALUE GLOBAL-DEFAULT AGE PREEMPTIONPOLICY",
    "system-node-critical 2000001000 false ? PreemptLowerPriority",
  ],
  ["servicecidr/kubernetes", "NAME CIDRS AGE", "kubernetes 10.96.0.0/12 ?"],
  ["ip/10.96.0.1", "NAME PARENTREF AGE", "10.96.0.1 services/default/kubernetes ?"],
];

/** Cells by one space; a space within a cell is `_`, and empty cells are left out. */
function flat(line: string): string {
  return line
    .trim()
    .split(/\s{2,}/)
    .map((cell) => (/^\d+[smh](\d+[sm])?$/.test(cell) ? "?" : cell.replaceAll(" ", "_")))
    .join(" ");
}

test("kubectl get -o wide prints the columns of upstream, of objects that are filled", async () => {
  await server.ok(`create -f ${FILE}`);
  const status = JSON.stringify({ status: POD_STATUS });
  await server.ok(`patch pod pod --subresource status -p '${status}'`);
  for (const [resource, head, row] of TABLES) {
    const [first = "", second = ""] = (await server.ok(`get ${resource} -o wide`)).split("\n");
    assert.equal(flat(first), head);
    assert.equal(flat(second), row);
  }
});

test("kubectl apply of what kubectl create made configures nothing but annotations", async () => {
  const { stdout, stderr } = await server.kubectl(`apply -f ${FILE}`);
  assert.match(stderr, /missing the kubectl\.kubernetes\.io\/last-applied-configuration annotation/);
  assert.ok(
    stdout
      .trim()
      .split("\n")
      .every((line) => line.endsWith(" configured")),
    stdout,
  );
  const again = await server.ok(`apply -f ${FILE}`);
  // Their lists or selectors are replaced as a whole, defaults and all: kubectl always sends them.
  const changed = again.split("\n").filter((line) => line.endsWith(" configured"));
  assert.deepEqual(changed, [
    "poddisruptionbudget.policy/pdb configured",
    "endpointslice.discovery.k8s.io/es configured",
  ]);
});
