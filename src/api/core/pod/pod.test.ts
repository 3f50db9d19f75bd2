import assert from "node:assert/strict";
import { test } from "node:test";
import type { FieldError } from "../../../machinery/field/field-error.ts";
import { integer } from "../../../machinery/json/exact-integer.ts";
import type { RequestContext } from "../../resource.ts";
import type { Pod as PodObject } from "../../schema/core.v1.generated.ts";
import { validateBinding } from "./binding.ts";
import { gracePeriodOf, Pod } from "./pod.ts";

const context = {} as RequestContext;

type Edit = (pod: PodObject) => void;

function podOf(edit?: Edit): PodObject {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "default" },
    spec: { containers: [{ name: "web", image: "nginx" }] },
  } as PodObject;
  edit?.(pod);
  Pod.defaults?.(pod);
  return pod;
}

function spec(more: Record<string, unknown>): Edit {
  return (pod) => {
    pod.spec = { ...pod.spec, ...more } as PodObject["spec"];
  };
}

function container(more: Record<string, unknown>): Edit {
  return (pod) => {
    pod.spec = { containers: [{ name: "web", image: "nginx", ...more }] };
  };
}

function said(errors: readonly FieldError[] | undefined): string[] {
  return (errors ?? []).map(({ field, body }) => `${field}: ${body}`);
}

const VALID: Record<string, Edit | undefined> = {
  "a bare pod": undefined,
  "a sidecar with probes": spec({
    initContainers: [
      { name: "log", image: "log:1", restartPolicy: "Always", readinessProbe: { tcpSocket: { port: 80 } } },
    ],
  }),
  "huge pages with cpu": container({
    resources: {
      limits: { cpu: "1", "hugepages-2Mi": "4Mi" },
      requests: { cpu: "1", "hugepages-2Mi": "4Mi" },
    },
  }),
  "an extended resource": container({ resources: { limits: { "example.com/gpu": "2" } } }),
};

for (const [what, edit] of Object.entries(VALID)) {
  test(`validate accepts ${what}`, () => {
    assert.deepEqual(said(Pod.validate?.(podOf(edit), context)), []);
  });
}

const INVALID: [string, Edit, string][] = [
  ["no containers", spec({ containers: [] }), "spec.containers: Required value"],
  ["no image", container({ image: "" }), "spec.containers[0].image: Required value"],
  [
    "two containers of a name",
    spec({ containers: ["web", "web"].map((name) => ({ name, image: "a" })) }),
    'spec.containers[1].name: Duplicate value: "web"',
  ],
  [
    "an unknown mount",
    container({ volumeMounts: [{ name: "no", mountPath: "/a" }] }),
    'spec.containers[0].volumeMounts[0].name: Not found: "no"',
  ],
  [
    "requests over limits",
    container({ resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }),
    'spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
  ],
  [
    "an unknown resource",
    container({ resources: { requests: { disk: "1" } } }),
    'spec.containers[0].resources.requests[disk]: Invalid value: "disk": must be a standard resource for containers',
  ],
  [
    "a probe without handler",
    container({ livenessProbe: {} }),
    "spec.containers[0].livenessProbe: Required value: must specify a handler type",
  ],
  [
    "a port out of range",
    container({ ports: [{ containerPort: 70000 }] }),
    "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
  ],
  [
    "a value and a source",
    container({ env: [{ name: "A", value: "1", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }] }),
    'spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
  ],
  [
    "a probe of an init container",
    spec({ initContainers: [{ name: "i", image: "a", livenessProbe: { tcpSocket: { port: 1 } } }] }),
    "spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always",
  ],
  [
    "two sources of a volume",
    spec({ volumes: [{ name: "v", secret: { secretName: "s" }, hostPath: { path: "/a" } }] }),
    "spec.volumes[0].secret: Forbidden: may not specify more than 1 volume type",
  ],
  [
    "a host path that goes up",
    spec({ volumes: [{ name: "v", hostPath: { path: "/a/../b" } }] }),
    "spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
  ],
  [
    "an empty local seccomp profile",
    spec({ securityContext: { seccompProfile: { type: "Localhost", localhostProfile: "" } } }),
    "spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost",
  ],
  [
    "a weight of zero",
    spec({
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 0, preference: {} }],
        },
      },
    }),
    "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100",
  ],
  [
    "a preference for pods without its term",
    spec({ affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1 }] } } }),
    "spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Required value: can not be empty",
  ],
  [
    "a sleep of more seconds than a double holds",
    container({ lifecycle: { preStop: { sleep: { seconds: integer(2n ** 63n - 1n) } } } }),
    "spec.containers[0].lifecycle.preStop.sleep: Invalid value: 9223372036854775807: must be non-negative and less than terminationGracePeriodSeconds (30)",
  ],
  [
    "a toleration of everything by Equal",
    spec({ tolerations: [{ operator: "Equal" }] }),
    'spec.tolerations[0].operator: Invalid value: "Equal": operator must be Exists when `key` is empty, which means "match all values and all keys"',
  ],
  [
    "no skew",
    spec({
      topologySpreadConstraints: [{ maxSkew: 0, topologyKey: "z", whenUnsatisfiable: "DoNotSchedule" }],
    }),
    "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
  ],
  [
    "no DNS server",
    spec({ dnsPolicy: "None" }),
    "spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None",
  ],
  [
    "a node before its gates are open",
    spec({ nodeName: "n", schedulingGates: [{ name: "a" }] }),
    "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
  ],
  [
    "Linux options on Windows",
    spec({ os: { name: "windows" }, hostPID: true }),
    "spec.hostPID: Forbidden: cannot be set for a windows pod",
  ],
  [
    "a claim that the pod does not have",
    container({ resources: { claims: [{ name: "gpu" }] } }),
    'spec.containers[0].resources.claims[0]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims which is empty',
  ],
  [
    "ephemeral containers on create",
    spec({ ephemeralContainers: [{ name: "e", image: "a" }] }),
    "spec.ephemeralContainers: Forbidden: cannot be set on create",
  ],
  [
    "a pod-level request below its containers'",
    (pod) => {
      pod.spec = {
        containers: [{ name: "a", image: "a", resources: { requests: { cpu: "2" } } }],
        resources: { requests: { cpu: "1" } },
      };
    },
    'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
  ],
];

for (const [what, edit, error] of INVALID) {
  test(`validate refuses ${what}`, () => {
    const errors = said(Pod.validate?.(podOf(edit), context));
    assert.ok(errors.includes(error), errors.join("\n"));
  });
}

test("defaults fill in what upstream fills in", () => {
  const pod = podOf((each) => {
    each.spec = {
      hostNetwork: true,
      containers: [
        {
          name: "web",
          image: "reg:5000/a@sha256:0",
          ports: [{ containerPort: 80 }],
          resources: { limits: { cpu: "100u" } },
        },
        { name: "b", image: "reg:5000/a" },
      ],
      volumes: [{ name: "v" }, { name: "s", secret: { secretName: "x" } }],
    };
  });
  const common = { terminationMessagePath: "/dev/termination-log", terminationMessagePolicy: "File" };
  assert.deepEqual(pod.spec, {
    hostNetwork: true,
    containers: [
      {
        name: "web",
        image: "reg:5000/a@sha256:0",
        ports: [{ containerPort: 80, protocol: "TCP", hostPort: 80 }],
        resources: { limits: { cpu: "1m" }, requests: { cpu: "1m" } },
        imagePullPolicy: "IfNotPresent",
        ...common,
      },
      { name: "b", image: "reg:5000/a", imagePullPolicy: "Always", resources: {}, ...common },
    ],
    volumes: [
      { name: "v", emptyDir: {} },
      { name: "s", secret: { secretName: "x", defaultMode: 420 } },
    ],
    restartPolicy: "Always",
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    schedulerName: "default-scheduler",
    securityContext: {},
    enableServiceLinks: true,
  });
});

test("validateUpdate allows images and refuses other fields", () => {
  const old = podOf();
  const image = podOf(container({ image: "nginx:2", imagePullPolicy: "Always" }));
  assert.deepEqual(said(Pod.validateUpdate?.(image, old, context)), []);
  const [error] = said(Pod.validateUpdate?.(podOf(spec({ hostname: "other" })), old, context));
  assert.match(
    error ?? "",
    /^spec: Forbidden: pod updates may not change fields other than `spec\.containers/,
  );
  assert.match(error ?? "", /\+ \thostname: "other",/);
});

test("validateUpdate lets gates only be removed", () => {
  const gated = podOf(spec({ schedulingGates: [{ name: "a" }] }));
  assert.deepEqual(said(Pod.validateUpdate?.(podOf(), gated, context)), []);
  assert.deepEqual(said(Pod.validateUpdate?.(gated, podOf(), context)), [
    "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'a'",
  ]);
});

test("gracePeriod is zero when no node runs the pod", () => {
  assert.equal(gracePeriodOf(podOf(), 10), 0);
  assert.equal(gracePeriodOf(podOf(spec({ nodeName: "n" })), undefined), 30);
  assert.equal(gracePeriodOf(podOf(spec({ nodeName: "n" })), 5), 5);
});

test("prepareForCreate sets phase and quality of service", () => {
  const pod = podOf(container({ resources: { limits: { cpu: "1", memory: "1Gi" } } }));
  Pod.prepareForCreate?.(pod, context);
  assert.deepEqual(pod.status, { phase: "Pending", qosClass: "Guaranteed" });
});

test("warnings name hidden variables", () => {
  const env = ["1", "2"].map((value) => ({ name: "A", value }));
  assert.deepEqual(Pod.warnings?.(podOf(container({ env })), undefined), [
    'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
  ]);
});

const now = new Date("2026-01-01T00:10:00Z");

function cells(pod: PodObject): Record<string, unknown> {
  return Object.fromEntries(Pod.columns.map((column) => [column.name, column.cell(pod, now)]));
}

test("columns tell a crash loop and its restarts", () => {
  const pod = podOf();
  pod.status = {
    phase: "Running",
    containerStatuses: [
      {
        name: "web",
        image: "",
        imageID: "",
        ready: false,
        restartCount: 3,
        state: { waiting: { reason: "CrashLoopBackOff" } },
        lastState: { terminated: { exitCode: 1, finishedAt: "2026-01-01T00:09:00Z" } },
      },
    ],
  };
  const { Ready, Status, Restarts, Node } = cells(pod);
  assert.deepEqual(
    { Ready, Status, Restarts, Node },
    {
      Ready: "0/1",
      Status: "CrashLoopBackOff",
      Restarts: "3 (60s ago)",
      Node: "<none>",
    },
  );
});

test("columns count init containers and tell termination", () => {
  const pod = podOf(spec({ initContainers: [{ name: "i", image: "a" }] }));
  const waiting = { reason: "PodInitializing" };
  const one = { name: "i", image: "", imageID: "", ready: false, restartCount: 0, state: { waiting } };
  pod.status = { phase: "Pending", initContainerStatuses: [one] };
  assert.equal(cells(pod).Status, "Init:0/1");
  assert.equal(
    cells({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: "x" } }).Status,
    "Terminating",
  );
});

test("validateBinding wants a node", () => {
  const binding = { apiVersion: "v1", kind: "Binding", metadata: { name: "web" }, target: { kind: "Pod" } };
  assert.deepEqual(said(validateBinding(binding)), [
    'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"',
    "target.name: Required value",
  ]);
});

test("a pod with scheduling gates says from its creation why it gets no node", () => {
  const gated = podOf(spec({ schedulingGates: [{ name: "a" }] }));
  Pod.prepareForCreate?.(gated, context);
  assert.deepEqual(gated.status?.conditions, [
    {
      type: "PodScheduled",
      status: "False",
      reason: "SchedulingGated",
      message: "Scheduling is blocked due to non-empty scheduling gates",
    },
  ]);
  const free = podOf();
  Pod.prepareForCreate?.(free, context);
  assert.equal(free.status?.conditions, undefined);
});
