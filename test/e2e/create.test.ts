import assert from "node:assert/strict";
import { test } from "node:test";
import { type KubeObject, startServer } from "./server.ts";

const server = await startServer();

/** Runs a generator of `kubectl create` and returns what the server made of it. */
async function created(line: string, resource: string): Promise<KubeObject> {
  const said = await server.ok(`create ${line}`);
  assert.match(said, / created\n$/);
  return server.json(`get ${resource}`);
}

test("kubectl create deployment gets the defaults of the server", async () => {
  const made = await created("deployment web --image nginx:1 --replicas 3 --port 80", "deployment/web");
  assert.deepEqual(made.spec.selector, { matchLabels: { app: "web" } });
  assert.equal(made.spec.replicas, 3);
  assert.equal(made.spec.revisionHistoryLimit, 10);
  assert.equal(made.spec.progressDeadlineSeconds, 600);
  assert.deepEqual(made.spec.strategy, {
    type: "RollingUpdate",
    rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" },
  });
  assert.equal(made.metadata.generation, 1);
  assert.deepEqual(made.status, {});
  const { spec } = made.spec.template as { spec: Record<string, unknown> };
  assert.equal(spec.restartPolicy, "Always");
  assert.equal(spec.terminationGracePeriodSeconds, 30);
  assert.deepEqual(spec.containers, [
    {
      name: "nginx",
      image: "nginx:1",
      ports: [{ containerPort: 80, protocol: "TCP" }],
      resources: {},
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      imagePullPolicy: "IfNotPresent",
    },
  ]);
});

test("kubectl create service allocates addresses and node ports", async () => {
  const { spec: cluster } = await created("service clusterip one --tcp 80:8080", "service/one");
  assert.match(cluster.clusterIP as string, /^10\.(9[6-9]|1[01]\d)\./);
  assert.deepEqual(cluster.clusterIPs, [cluster.clusterIP]);
  assert.deepEqual(cluster.ports, [{ name: "80-8080", protocol: "TCP", port: 80, targetPort: 8080 }]);
  assert.equal(cluster.sessionAffinity, "None");
  assert.equal(cluster.ipFamilyPolicy, "SingleStack");
  const { spec: headless } = await created("service clusterip two --clusterip None", "service/two");
  assert.equal(headless.clusterIP, "None");
  const { spec: node } = await created("service nodeport three --tcp 80 --node-port 30123", "service/three");
  assert.equal((node.ports as { nodePort: number }[])[0]!.nodePort, 30123);
  const { spec: balanced } = await created("service loadbalancer four --tcp 80", "service/four");
  assert.equal(balanced.allocateLoadBalancerNodePorts, true);
  assert.ok((balanced.ports as { nodePort: number }[])[0]!.nodePort >= 30000);
  const { spec: named } = await created("service externalname five --external-name a.b", "service/five");
  assert.equal(named.externalName, "a.b");
  const taken = await server.refused("create service nodeport six --tcp 80 --node-port 30123");
  assert.equal(
    taken,
    'error: failed to create NodePort service: Service "six" is invalid: spec.ports[0].nodePort: Invalid value: 30123: provided port is already allocated\n',
  );
});

test("kubectl create configmap takes literals and files", async () => {
  const path = await server.file("plain.txt", "line\n");
  const made = await created(`configmap plain --from-literal a=b --from-file ${path}`, "configmap/plain");
  assert.deepEqual(made.data, { a: "b", "plain.txt": "line\n" });
});

test("kubectl create secret generic, tls and docker-registry", async () => {
  const generic = await created("secret generic plain --from-literal password=x", "secret/plain");
  assert.equal(generic.type, "Opaque");
  assert.deepEqual(generic.data, { password: Buffer.from("x").toString("base64") });
  const registry = await created(
    "secret docker-registry pull --docker-username u --docker-password p --docker-server r.example",
    "secret/pull",
  );
  assert.equal(registry.type, "kubernetes.io/dockerconfigjson");
  const config = await server.json<{ users: { user: Record<string, string> }[] }>("config view --raw");
  const user = config.users[0]!.user;
  const pem = (key: string) => Buffer.from(user[key] as string, "base64").toString();
  const cert = await server.file("tls.crt", pem("client-certificate-data"));
  const key = await server.file("tls.key", pem("client-key-data"));
  const tls = await created(`secret tls pair --cert ${cert} --key ${key}`, "secret/pair");
  assert.equal(tls.type, "kubernetes.io/tls");
  assert.deepEqual(Object.keys(tls.data), ["tls.crt", "tls.key"]);
});

test("kubectl create job and cronjob, and a job from a cronjob", async () => {
  const job = await created("job once --image busybox -- date", "job/once");
  assert.equal(job.spec.backoffLimit, 6);
  assert.equal(job.spec.completionMode, "NonIndexed");
  const labels = { "batch.kubernetes.io/controller-uid": job.metadata.uid };
  assert.deepEqual(job.spec.selector, { matchLabels: labels });
  const cron = await created(
    "cronjob nightly --image busybox --schedule '0 1 * * *' -- date",
    "cronjob/nightly",
  );
  assert.equal(cron.spec.concurrencyPolicy, "Allow");
  assert.equal(cron.spec.successfulJobsHistoryLimit, 3);
  const manual = await created("job manual --from cronjob/nightly", "job/manual");
  const [owner] = manual.metadata.ownerReferences;
  assert.equal(owner!.uid, cron.metadata.uid);
  assert.equal(owner!.controller, true);
});

test("kubectl create ingress takes rules", async () => {
  const made = await created(
    "ingress web --class nginx --rule 'a.example/path*=web:80,tls=pair'",
    "ingress/web",
  );
  assert.equal(made.spec.ingressClassName, "nginx");
  assert.deepEqual(made.spec.rules, [
    {
      host: "a.example",
      http: {
        paths: [
          { path: "/path", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } },
        ],
      },
    },
  ]);
  assert.deepEqual(made.spec.tls, [{ hosts: ["a.example"], secretName: "pair" }]);
});

test("kubectl create quota and poddisruptionbudget", async () => {
  await server.ok("create namespace limited");
  const quota = await created(
    "quota small --namespace limited --hard cpu=1,memory=1Gi,pods=2 --scopes NotTerminating",
    "quota/small --namespace limited",
  );
  assert.deepEqual(quota.spec.hard, { cpu: "1", memory: "1Gi", pods: "2" });
  assert.deepEqual(quota.spec.scopes, ["NotTerminating"]);
  const budget = await created("poddisruptionbudget half --selector app=web --min-available 50%", "pdb/half");
  assert.equal(budget.spec.minAvailable, "50%");
  assert.deepEqual(budget.spec.selector, { matchLabels: { app: "web" } });
});

test("kubectl create role, clusterrole and their bindings", async () => {
  const role = await created("role reader --verb get,list --resource pods,deployments.apps", "role/reader");
  assert.deepEqual(role.rules, [
    { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] },
    { apiGroups: ["apps"], resources: ["deployments"], verbs: ["get", "list"] },
  ]);
  const wide = await created(
    "clusterrole health --verb get --non-resource-url /healthz",
    "clusterrole/health",
  );
  assert.deepEqual(wide.rules, [{ nonResourceURLs: ["/healthz"], verbs: ["get"] }]);
  const sum = await created("clusterrole sum --aggregation-rule rbac.example/sum=true", "clusterrole/sum");
  assert.deepEqual(sum.aggregationRule, {
    clusterRoleSelectors: [{ matchLabels: { "rbac.example/sum": "true" } }],
  });
  const bound = await created(
    "rolebinding readers --role reader --user jane --group dev",
    "rolebinding/readers",
  );
  assert.deepEqual(bound.roleRef, { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" });
  assert.equal((bound.subjects as unknown[]).length, 2);
  const all = await created(
    "clusterrolebinding healthy --clusterrole health --serviceaccount default:default",
    "clusterrolebinding/healthy",
  );
  assert.deepEqual(all.subjects, [{ kind: "ServiceAccount", name: "default", namespace: "default" }]);
});

test("kubectl create priorityclass, serviceaccount, namespace", async () => {
  const made = await created("priorityclass high --value 1000 --description high", "priorityclass/high");
  assert.equal(made.value, 1000);
  assert.equal(made.preemptionPolicy, "PreemptLowerPriority");
  await created("serviceaccount robot", "serviceaccount/robot");
  const space = await created("namespace space", "namespace/space");
  assert.deepEqual(space.status, { phase: "Active" });
  assert.deepEqual(space.spec, { finalizers: ["kubernetes"] });
  assert.deepEqual(space.metadata.labels, { "kubernetes.io/metadata.name": "space" });
});

test("kubectl create token makes a token that the server takes", async () => {
  await server.ok("create serviceaccount speaker");
  const token = (await server.ok("create token speaker --duration 10m")).trim();
  const claims = JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString());
  assert.equal(claims.sub, "system:serviceaccount:default:speaker");
  assert.equal(claims.exp - claims.iat, 600);
  assert.equal(claims["kubernetes.io"].serviceaccount.name, "speaker");
  const kubeconfig = await server.tokenConfig(token);
  const said = await server.ok(
    `--kubeconfig ${kubeconfig} auth whoami -o jsonpath={.status.userInfo.username}`,
  );
  assert.equal(said, "system:serviceaccount:default:speaker");
  const text = await server.refused("create token nobody");
  assert.equal(text, 'error: failed to create token: serviceaccounts "nobody" not found\n');
});

test("kubectl create refuses what is there already", async () => {
  await server.ok("create configmap twice");
  assert.equal(
    await server.refused("create configmap twice"),
    'error: failed to create configmap: configmaps "twice" already exists\n',
  );
  assert.equal(
    await server.refused("create -f -", {
      input: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "twice" } },
    }),
    'Error from server (AlreadyExists): error when creating "STDIN": configmaps "twice" already exists\n',
  );
});

test("kubectl create --dry-run=server answers with defaults and keeps nothing", async () => {
  const dry = await server.json("create deployment ghost --image nginx --dry-run=server");
  assert.equal(dry.spec.revisionHistoryLimit, 10);
  assert.match(dry.metadata.uid, /^[0-9a-f-]{36}$/);
  assert.equal(
    await server.refused("get deployment ghost"),
    'Error from server (NotFound): deployments.apps "ghost" not found\n',
  );
});

test("kubectl run makes a pod, once its service account is there", async () => {
  assert.equal(
    await server.refused("run shell --image busybox"),
    'Error from server (Forbidden): pods "shell" is forbidden: error looking up service account default/default: serviceaccount "default" not found\n',
  );
  await server.ok("create serviceaccount default");
  const said = await server.ok("run shell --image busybox --labels a=b --env K=V -- sleep 1");
  assert.equal(said, "pod/shell created\n");
  const pod = await server.json("get pod shell");
  assert.deepEqual(pod.metadata.labels, { a: "b" });
  assert.equal(pod.status.phase, "Pending");
  assert.equal(pod.status.qosClass, "BestEffort");
});

test("kubectl create takes generateName", async () => {
  const input = { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "many-" } };
  const [one, two] = [
    await server.ok("create -f - -o name", { input }),
    await server.ok("create -f - -o name", { input }),
  ];
  assert.match(one, /^configmap\/many-[bcdfghjklmnpqrstvwxz2456789]{5}\n$/);
  assert.notEqual(one, two);
});
