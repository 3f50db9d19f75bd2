/** kubectl's commands for workloads, on simulated nodes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type KubeObject, startServer } from "./server.ts";

const server = await startServer({ nodes: 3 });
const WITHIN = "--timeout=120s";

interface Pods {
  items: { metadata: { name: string; deletionTimestamp?: string }; spec: { nodeName: string } }[];
}

async function podsOf(selector: string): Promise<Pods["items"]> {
  const { items } = await server.json<Pods>(`get pods --selector ${selector}`);
  return items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

/** Waits until the replica set of a revision says why it came to be. */
async function untilCaused(revision: string, cause: string): Promise<void> {
  await server.until("/apis/apps/v1/namespaces/default/replicasets?labelSelector=app%3Dweb", (sets) =>
    sets.some(
      ({ metadata: { annotations = {} } }) =>
        annotations["deployment.kubernetes.io/revision"] === revision &&
        annotations["kubernetes.io/change-cause"] === cause,
    ),
  );
}

/** Waits until so many pods have a node that is not this one, and no others are to stay. */
async function untilAway(app: string, node: string, count: number): Promise<KubeObject[]> {
  const staying = (pods: KubeObject[]) => pods.filter(({ metadata }) => !metadata.deletionTimestamp);
  const pods = await server.until(`/api/v1/namespaces/default/pods?labelSelector=app%3D${app}`, (all) => {
    const names = staying(all).map(({ spec }) => spec.nodeName);
    return names.length === count && names.every((name) => name !== undefined && name !== node);
  });
  return staying(pods);
}

/** Events are written beside what they tell of: it may be there before them. */
async function untilTold(pod: string, reason: string): Promise<void> {
  await server.until(
    `/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3D${pod}`,
    (events) => events.some((event) => event.reason === reason),
  );
}

test("rollout status, history, undo, pause, resume and restart follow a deployment", async () => {
  const status = `rollout status deployment web ${WITHIN}`;
  await server.ok("create deployment web --image=web:1 --replicas=3");
  assert.match(await server.ok(status), /deployment "web" successfully rolled out\n$/);
  await server.ok("annotate deployment web kubernetes.io/change-cause=first");
  await untilCaused("1", "first");
  assert.equal(await server.ok("set image deployment/web web=web:2"), "deployment.apps/web image updated\n");
  await server.ok("annotate deployment web kubernetes.io/change-cause=second --overwrite");
  assert.match(await server.ok(status), /successfully rolled out\n$/);
  await untilCaused("2", "second");
  const history = await server.ok("rollout history deployment web");
  assert.match(history, /^deployment.apps\/web \nREVISION +CHANGE-CAUSE\n1 +first\n2 +second\n/);
  assert.match(await server.ok("rollout history deployment web --revision=1"), /Image:\s+web:1\n/);
  assert.equal(await server.ok("rollout undo deployment web"), "deployment.apps/web rolled back\n");
  assert.match(await server.ok(status), /successfully rolled out\n$/);
  const image = "jsonpath={.spec.template.spec.containers[0].image}";
  assert.equal(await server.ok(`get deployment web -o ${image}`), "web:1");
  await untilCaused("3", "first");
  assert.match(await server.ok("rollout history deployment web"), /\n2 +second\n3 +first\n/);

  await server.ok("rollout pause deployment web");
  await server.ok("set image deployment/web web=web:3");
  assert.equal((await server.json("get deployment web")).spec.paused, true);
  assert.match(await server.refused("rollout undo deployment web"), /cannot rollback a paused deployment/);
  await server.ok("rollout resume deployment web");
  assert.match(await server.ok(status), /successfully rolled out\n$/);
  const before = (await podsOf("app=web")).map(({ metadata }) => metadata.name);
  await server.ok("rollout restart deployment web");
  assert.match(await server.ok(status), /successfully rolled out\n$/);
  const after = (await podsOf("app=web")).map(({ metadata }) => metadata.name);
  assert.equal(after.length, 3);
  assert.ok(after.every((name) => !before.includes(name)));
});

test("rollout status tells of a stuck rollout, and undo takes it back", async () => {
  await server.ok("create deployment stuck --image=web:1");
  await server.ok(`wait deployment stuck --for=condition=Available ${WITHIN}`);
  const never = { metadata: { annotations: { "simulate.kybern.dev/start-after": "never" } } };
  const patch = JSON.stringify({ spec: { progressDeadlineSeconds: 1, template: never } });
  await server.ok(`patch deployment stuck --patch '${patch}'`);
  assert.match(
    await server.refused(`rollout status deployment stuck ${WITHIN}`),
    /deployment "stuck" exceeded its progress deadline/,
  );
  // The way back may take longer than a second on a busy machine.
  await server.ok(`patch deployment stuck --patch '{"spec":{"progressDeadlineSeconds":600}}'`);
  await server.ok("rollout undo deployment stuck");
  // Until pods of the old revision count, the way back is told as stuck as the way there was.
  await server.ok(`wait deployment stuck --for=condition=Progressing ${WITHIN}`);
  assert.match(await server.ok(`rollout status deployment stuck ${WITHIN}`), /successfully rolled out\n$/);
});

test("scale, autoscale, expose and wait work on a deployment that runs", async () => {
  await server.ok("create deployment shop --image=shop:1 --port=8080");
  assert.equal(await server.ok("scale deployment shop --replicas=4"), "deployment.apps/shop scaled\n");
  await server.ok(`rollout status deployment shop ${WITHIN}`);
  await server.ok(`wait deployment shop --for=condition=Available ${WITHIN}`);
  await server.ok(`wait pods --selector app=shop --for=condition=Ready ${WITHIN}`);
  assert.equal((await podsOf("app=shop")).length, 4);
  await server.ok("autoscale deployment shop --min=2 --max=6 --cpu=50%");
  const scaler = await server.json("get horizontalpodautoscaler shop");
  assert.equal(scaler.spec.maxReplicas, 6);
  assert.equal(
    await server.ok("expose deployment shop --port=80 --target-port=8080"),
    "service/shop exposed\n",
  );
  const ready = "jsonpath={.endpoints[3].conditions.ready}=true";
  const slices = "endpointslices --selector kubernetes.io/service-name=shop";
  // kubectl waits for what there is when it begins.
  const path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
  await server.until(`${path}?labelSelector=kubernetes.io/service-name%3Dshop`, ({ length }) => length > 0);
  await server.ok(`wait ${slices} --for=${ready} ${WITHIN}`);
  const described = await server.ok("describe service shop");
  assert.match(described, /Endpoints: +(10\.244\.\d+\.\d+:8080,){2}10\.244\.\d+\.\d+:8080 \+ 1 more\.\.\.\n/);
});

test("create job --from=cronjob runs it now, and wait tells when it is complete", async () => {
  await server.ok("create cronjob report --image=report:1 --schedule='0 3 * * *' -- report");
  await server.ok("create job now --from=cronjob/report");
  await server.ok(`wait job now --for=condition=Complete ${WITHIN}`);
  const job = await server.json("get job now");
  assert.equal(job.status.succeeded, 1);
  assert.equal(job.metadata.annotations["cronjob.kubernetes.io/instantiate"], "manual");
  assert.equal(job.metadata.ownerReferences[0]?.controller, true);
  assert.match(await server.ok("get job now --no-headers"), /^now +Complete +1\/1 /);
});

test("cordon, drain, uncordon and taint move pods from node to node", async () => {
  await server.ok("create deployment moved --image=web:1 --replicas=6");
  await server.ok(`rollout status deployment moved ${WITHIN}`);
  assert.equal(await server.ok("cordon node-0"), "node/node-0 cordoned\n");
  assert.match(await server.ok("get node node-0 --no-headers"), /^node-0 +Ready,SchedulingDisabled /);
  const drained = await server.ok(
    `drain node-0 --ignore-daemonsets --delete-emptydir-data --force ${WITHIN}`,
  );
  assert.match(drained, /node\/node-0 drained\n$/);
  await server.ok(`rollout status deployment moved ${WITHIN}`);
  const away = await untilAway("moved", "node-0", 6);
  const one = away.find(({ spec }) => spec.nodeName === "node-1");
  assert.ok(one, "the pods are spread over both nodes that are left");
  assert.equal(await server.ok("uncordon node-0"), "node/node-0 uncordoned\n");
  await server.ok("taint nodes node-1 dedicated=db:NoExecute");
  await server.ok(`wait pod ${one.metadata.name} --for=delete ${WITHIN}`);
  await server.ok(`rollout status deployment moved ${WITHIN}`);
  await untilAway("moved", "node-1", 6);
  assert.match(await server.ok("describe node node-1"), /Taints: +dedicated=db:NoExecute\n/);
  assert.equal(await server.ok("taint nodes node-1 dedicated-"), "node/node-1 untainted\n");
});

test("delete takes the pods along, in the background, in the foreground, or leaves them", async () => {
  for (const cascade of ["background", "foreground", "orphan"]) {
    await server.ok(`create deployment ${cascade} --image=web:1 --replicas=2`);
    await server.ok(`rollout status deployment ${cascade} ${WITHIN}`);
    const pods = (await podsOf(`app=${cascade}`)).map(({ metadata }) => `pod/${metadata.name}`);
    await server.ok(`delete deployment ${cascade} --cascade=${cascade} ${WITHIN}`);
    if (cascade !== "orphan") await server.ok(`wait ${pods.join(" ")} --for=delete ${WITHIN}`);
    const sets = await server.json<Pods>(`get replicasets --selector app=${cascade}`);
    assert.equal(sets.items.length, cascade === "orphan" ? 1 : 0, cascade);
    assert.equal((await podsOf(`app=${cascade}`)).length, cascade === "orphan" ? 2 : 0, cascade);
  }
});

test("events and describe tell what became of a pod", async () => {
  await server.ok("run once --image=web:1");
  await server.ok(`wait pod once --for=condition=Ready ${WITHIN}`);
  await untilTold("once", "Scheduled");
  const scheduled = /Normal +Scheduled +pod\/once +Successfully assigned default\/once to node-\d/i;
  assert.match(await server.ok("events --for pod/once"), scheduled);
  const described = await server.ok("describe pod once");
  assert.match(described, /\nNode: +node-\d\/172\.16\.0\.\d\n/);
  assert.match(described, /\nStatus: +Running\n/);
  assert.match(described, /\n {4}Ready: +True\n/);
  await server.ok('run greedy --image=web:1 --overrides=\'{"spec":{"nodeSelector":{"disk":"ssd"}}}\'');
  await server.ok(`wait pod greedy --for=condition=PodScheduled=False ${WITHIN}`);
  await untilTold("greedy", "FailedScheduling");
  const unfit = /0\/3 nodes are available: 3 node\(s\) didn't match Pod's node affinity\/selector\./;
  assert.match(await server.ok("describe pod greedy"), unfit);
});
