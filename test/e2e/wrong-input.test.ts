import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "./server.ts";

const server = await startServer();
await server.ok("create serviceaccount default");

const object = (apiVersion: string, kind: string, rest: object, name = "a") => ({
  apiVersion,
  kind,
  metadata: { name },
  ...rest,
});
const pod = (container: object, spec: object = {}) =>
  object("v1", "Pod", { spec: { containers: [{ name: "a", image: "b", ...container }], ...spec } });

const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/** What kubectl is given, and what it says then. */
const REFUSED: readonly (readonly [input: object, says: string])[] = [
  [
    object("v1", "ConfigMap", {}, "Bad_Name"),
    `The ConfigMap "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name": ${SUBDOMAIN}`,
  ],
  [
    { apiVersion: "v1", kind: "ConfigMap", metadata: {} },
    'The ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
  ],
  [
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a", namespace: "nope" } },
    'Error from server (NotFound): error when creating "STDIN": namespaces "nope" not found',
  ],
  [pod({ name: "A" }), `The Pod "a" is invalid: spec.containers[0].name: Invalid value: "A": ${LABEL}`],
  [pod({}, { containers: [] }), 'The Pod "a" is invalid: spec.containers: Required value'],
  [
    pod({ volumeMounts: [{ name: "x", mountPath: "/x" }] }, { restartPolicy: "Sometimes" }),
    `The Pod "a" is invalid: 
* spec.containers[0].volumeMounts[0].name: Not found: "x"
* spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"`,
  ],
  [
    pod({ resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }),
    'The Pod "a" is invalid: spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1',
  ],
  [
    pod({ resources: { requests: { cpu: "abc" } } }),
    'Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: quantities must match the regular expression \'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$\'',
  ],
  [
    pod({ ports: [{ containerPort: "x" }] }),
    'Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal string into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
  ],
  [
    pod({ imag: 1 }),
    'Error from server (BadRequest): error when creating "STDIN": Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.containers[0].imag"',
  ],
  [
    object("apps/v1", "Deployment", {
      spec: { template: { spec: { containers: [{ name: "a", image: "b" }] } } },
    }),
    `The Deployment "a" is invalid: 
* spec.selector: Required value
* spec.template.metadata.labels: Invalid value: null: \`selector\` does not match template \`labels\``,
  ],
  [
    object("v1", "ConfigMap", { data: { a: "x".repeat(1024 * 1024 + 1) } }),
    'The ConfigMap "a" is invalid: []: Too long: may not be more than 1048576 bytes',
  ],
  [
    object("v1", "Secret", { type: "kubernetes.io/tls" }),
    `The Secret "a" is invalid: 
* data[tls.crt]: Required value
* data[tls.key]: Required value`,
  ],
  [
    object("v1", "Secret", { data: { x: "!!" } }),
    'Error from server (BadRequest): error when creating "STDIN": Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte 0',
  ],
  [
    object("v1", "Service", { spec: { ports: [{ port: 70000 }], type: "ClusterIP" } }, "9a"),
    `The Service "9a" is invalid: 
* metadata.name: Invalid value: "9a": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')
* spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive
* spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive`,
  ],
  [
    object("batch/v1", "CronJob", {
      spec: { schedule: "x", jobTemplate: { spec: { template: pod({}, { restartPolicy: "Never" }) } } },
    }),
    'Error from server (BadRequest): error when creating "STDIN": CronJob in version "v1" cannot be handled as a CronJob: strict decoding error: unknown field "spec.jobTemplate.spec.template.apiVersion", unknown field "spec.jobTemplate.spec.template.kind"',
  ],
  [
    object("v1", "PersistentVolumeClaim", { spec: {} }),
    `The PersistentVolumeClaim "a" is invalid: 
* spec.accessModes: Required value: at least 1 access mode is required
* spec.resources[storage]: Required value`,
  ],
  [
    object("rbac.authorization.k8s.io/v1", "RoleBinding", {
      roleRef: { kind: "Foo", name: "x", apiGroup: "rbac.authorization.k8s.io" },
    }),
    'The RoleBinding "a" is invalid: roleRef.kind: Unsupported value: "Foo": supported values: "Role", "ClusterRole"',
  ],
  [
    object("autoscaling/v2", "HorizontalPodAutoscaler", {
      spec: { minReplicas: 5, maxReplicas: 3, scaleTargetRef: { kind: "Deployment", name: "a" } },
    }),
    'The HorizontalPodAutoscaler "a" is invalid: spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`',
  ],
];

test("kubectl create says what the server refuses, and why", async () => {
  for (const [input, says] of REFUSED) {
    assert.equal(await server.refused("create -f -", { input }), `${says}\n`);
  }
  assert.equal(await server.ok("get all,cm,secrets,pvc,rolebindings -o name"), "service/kubernetes\n");
});

test("kubectl patch says what may not change", async () => {
  await server.ok("create -f -", {
    input: object("v1", "Secret", { immutable: true, stringData: { a: "b" } }, "fixed"),
  });
  await server.ok("create service clusterip fixed --tcp 80");
  for (const [line, says] of [
    [
      `patch secret fixed -p '{"data":{"a":"Yw=="}}'`,
      'The Secret "fixed" is invalid: data: Forbidden: field is immutable when `immutable` is set',
    ],
    [
      `patch service fixed -p '{"spec":{"clusterIP":"10.96.9.9"}}'`,
      'The Service "fixed" is invalid: spec.clusterIPs[0]: Invalid value: ["10.96.9.9"]: may not change once set',
    ],
    [
      "annotate service fixed 'a b=c'",
      "The Service \"fixed\" is invalid: metadata.annotations: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
    ],
  ] as const) {
    assert.equal(await server.refused(line), `${says}\n`);
  }
});

test("every verb says NotFound in the same words", async () => {
  for (const line of [
    "get deployment nope",
    "delete deployment nope",
    "scale deployment nope --replicas 1",
    "rollout history deployment/nope",
    "rollout restart deployment/nope",
    "expose deployment nope --port 1",
    "autoscale deployment nope --max 3",
    "label deployment nope a=b",
    "patch deployment nope -p '{}'",
    "describe deployment nope",
    "edit deployment nope",
    "set image deployment/nope a=b",
  ]) {
    assert.equal(
      await server.refused(line),
      'Error from server (NotFound): deployments.apps "nope" not found\n',
      line,
    );
  }
});

test("wrong parameters and wrong paths are refused as upstream refuses them", async () => {
  const query = "Error from server (BadRequest):";
  for (const [line, says] of [
    ["get --raw '/api/v1/pods?limit=x'", `${query} strconv.ParseInt: parsing "x": invalid syntax`],
    [
      "get --raw '/api/v1/pods?resourceVersion=x'",
      `${query} invalid resource version "x": strconv.ParseUint: parsing "x": invalid syntax`,
    ],
    [
      "get pods -l a=b=c",
      `${query} Unable to find "/v1, Resource=pods" that match label selector "a=b=c", field selector "": unable to parse requirement: found '=', expected: ',' or 'end of string'`,
    ],
    [
      "get --raw /apis/apps/v2",
      "Error from server (NotFound): the server could not find the requested resource",
    ],
    [
      "delete --raw /api/v1/pods",
      "Error from server (MethodNotAllowed): the server does not allow this method on the requested resource",
    ],
  ] as const) {
    assert.equal(await server.refused(line), `${says}\n`);
  }
});

test("kubectl logs, exec, attach and debug of a pod without a node", async () => {
  await server.ok("run alone --image app:1");
  // As upstream's server: nothing was written where nothing ran.
  assert.equal(await server.ok("logs alone"), "");
  for (const line of ["exec alone -- ls", "attach alone"]) {
    const said = await server.refused(line);
    // In the words of kubectl 1.35, and of 1.36.
    assert.match(
      said,
      /(?:Error from server \(BadRequest\)|error: unable to upgrade connection): pod alone does not have a host assigned\n$/,
    );
  }
  await server.ok("debug alone --image tools:1 --container look --profile general --attach=false");
  const { spec } = await server.json("get pod alone");
  assert.equal((spec.ephemeralContainers as { name: string }[])[0]!.name, "look");
});

test("keys named like parts of JavaScript are data", async () => {
  const input =
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"strange","annotations":{"constructor":"x"}},"data":{"__proto__":"a","constructor":"b","toString":"c"}}';
  await server.ok("create -f -", { input });
  await server.ok(`patch configmap strange --type merge -p '{"data":{"__proto__":"d"}}'`);
  const said = await server.ok("get configmap strange -o jsonpath={.data}");
  assert.equal(said, '{"__proto__":"d","constructor":"b","toString":"c"}');
  await server.ok("apply --server-side --force-conflicts -f -", {
    input: input.replace('"b"', '"e"').replace('"a"', '"d"'),
  });
  assert.match(await server.ok("get configmap strange -o jsonpath={.data}"), /"constructor":"e"/);
});
