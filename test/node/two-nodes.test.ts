/** A cluster of two machines: what crosses the wire between them, and what happens when it is cut. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { layoutOf } from "../../src/cluster/layout.ts";
import { BUSYBOX, busyboxImage, SOCAT, socatImage } from "./harness/images.ts";
import { cannotRunContainers } from "./harness/machine.ts";
import { ok } from "./harness/machine-place.ts";
import type { Machine } from "./harness/network-namespaces.ts";
import { twoNodes } from "./harness/two-nodes.ts";
import { saidUntil } from "./streaming-cluster.ts";

const skip = cannotRunContainers;

/** Says who it is, and who asks. */
const WHO = `mkdir -p /www/cgi-bin && cd /www && hostname > index.html
printf '#!/bin/sh\\nprintf "Content-Type: text/plain\\\\r\\\\n\\\\r\\\\n"; echo $REMOTE_ADDR | tr -d []f | sed s/^:*//\\n' > cgi-bin/me
chmod +x cgi-bin/me && exec httpd -f -p 8080 -h /www`;
/** Seconds that pods stay on a node that is lost. */
const STAY = ["not-ready", "unreachable"].map((what) => ({
  key: `node.kubernetes.io/${what}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 2,
}));

function web(node?: string, image = BUSYBOX) {
  return {
    ...(node !== undefined && { nodeName: node }),
    terminationGracePeriodSeconds: 0,
    tolerations: STAY,
    containers: [
      {
        name: "main",
        image,
        command: ["sh", "-c", WHO],
        ports: [{ containerPort: 8080 }],
        readinessProbe: { httpGet: { port: 8080 }, periodSeconds: 1, timeoutSeconds: 20 },
      },
    ],
  };
}

function pod(name: string, labels: Record<string, string>, spec: object) {
  return { apiVersion: "v1", kind: "Pod", metadata: { name, labels }, spec };
}

function service(name: string, more: object = {}) {
  const spec = { selector: { app: "web" }, ports: [{ port: 80, targetPort: 8080 }], ...more };
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec };
}

/** Asks until it is answered: rules reach the kernel when they do. As all of these, it has as long as a command has. */
function get(url: string, wget = "wget"): string {
  return `until timeout 2 ${wget} -q -O - ${url}; do sleep 0.2; done`;
}

/** Asks until nobody answers any more. */
function untilRefused(url: string): string {
  return `while timeout 2 wget -q -O - ${url}; do sleep 0.2; done`;
}

/** Who answers, each once, until there are so many. */
function untilAnswerers(url: string, count: number): string {
  return `: > /tmp/who; until test $(sort -u /tmp/who | wc -l) -ge ${count}; do timeout 2 wget -q -O - ${url} >> /tmp/who; done; sort -u /tmp/who`;
}

/** Asks until twenty in a row are answered by the same. */
function untilAlways(url: string, who: string): string {
  return `n=0; until test $n = 20; do test "$(timeout 10 wget -q -O - ${url})" = ${who} && n=$((n+1)) || n=0; done`;
}

const LONG = { timeoutMs: 180_000 };
const OTHER_ADDRESS = "192.168.79.3";

async function changeAddress({ run }: Machine, from: string, to: string): Promise<void> {
  await run("ip", ["address", "delete", `${from}/24`, "dev", "eth0"]);
  await run("ip", ["address", "add", `${to}/24`, "dev", "eth0"]);
  await run("ip", ["route", "replace", "default", "dev", "eth0"]);
}

const lines = (text: string): string[] => text.split(/\s/).filter(Boolean).sort();

test("two machines are one cluster", { skip, timeout: 900_000 }, async (t) => {
  await using nodes = await twoNodes(t, [await busyboxImage(), await socatImage()]);
  const { a, b, kubectl, startKubectl, apply, inPod } = nodes;
  const jsonPath = (path: string, ...of: string[]) => kubectl("get", ...of, "-o", `jsonpath=${path}`);
  const addressOf = (name: string) => jsonPath("{.status.podIP}", "pod", name);
  const containers = (selector: string) =>
    jsonPath(
      "{range .items[*]}{.metadata.name}{.status.containerStatuses[*].containerID} {end}",
      "pod",
      "-l",
      selector,
    );
  const nodesOf = async (selector: string): Promise<string[]> =>
    lines(await jsonPath("{range .items[*]}{.spec.nodeName} {end}", "pod", "-l", selector));
  const podOn = async (selector: string, node: string): Promise<string> =>
    jsonPath("{.items[0].metadata.name}", "pod", "-l", selector, `--field-selector=spec.nodeName=${node}`);
  const ready = (...of: string[]) => kubectl("wait", "--for=condition=Ready", ...of, "--timeout=120s");

  await apply(
    pod("on-a", { app: "web", on: "a" }, web(a.node)),
    pod("on-b", { app: "web", on: "b" }, web(b.node)),
    pod("ask-a", { ask: "a" }, web(a.node, SOCAT)),
    pod("ask-b", { ask: "b" }, web(b.node, SOCAT)),
    pod("host-a", {}, { ...web(a.node), hostNetwork: true, containers: [asleep()] }),
    pod("host-b", {}, { ...web(b.node), hostNetwork: true, containers: [asleep()] }),
    service("web"),
    service("node-port", { type: "NodePort", ports: [{ port: 80, targetPort: 8080, nodePort: 30080 }] }),
    service("local", {
      type: "NodePort",
      externalTrafficPolicy: "Local",
      selector: { on: "b" },
      ports: [{ port: 80, targetPort: 8080, nodePort: 30081 }],
    }),
    service("each", { clusterIP: "None" }),
  );
  await ready("pod", "--all");

  await t.test("pods reach each other by their own addresses, which others see", async () => {
    for (const [from, to] of [
      ["ask-a", "on-b"],
      ["ask-b", "on-a"],
      ["on-a", "on-b"],
    ] as const) {
      const [own, other] = await Promise.all([addressOf(from), addressOf(to)]);
      assert.equal(await inPod(from, get(`http://${other}:8080/`)), `${to}\n`);
      assert.equal(await inPod(from, get(`http://${other}:8080/cgi-bin/me`)), `${own}\n`);
    }
  });

  await t.test("a node reaches the pods of the other", async () => {
    assert.equal(await inPod("host-a", get(`http://${await addressOf("on-b")}:8080/`)), "on-b\n");
    assert.equal(await inPod("host-b", get(`http://${await addressOf("on-a")}:8080/`)), "on-a\n");
  });

  await t.test("Services lead to the pods of both nodes from either, by address and by name", async () => {
    const address = await jsonPath("{.spec.clusterIP}", "service", "web");
    for (const from of ["ask-a", "ask-b", "host-a", "host-b"])
      assert.deepEqual(lines(await inPod(from, untilAnswerers(`http://${address}/`, 2))), ["on-a", "on-b"]);
    for (const from of ["ask-a", "ask-b"]) {
      assert.deepEqual(lines(await inPod(from, untilAnswerers("http://web/", 2))), ["on-a", "on-b"]);
      const found = await inPod(from, "nslookup each.default.svc.cluster.local");
      for (const name of ["on-a", "on-b"]) assert.ok(found.includes(await addressOf(name)), found);
    }
  });

  await t.test("node ports lead to both nodes' pods, or to those of their node alone", async () => {
    for (const { address } of [a, b])
      for (const from of ["ask-a", "ask-b"]) {
        const all = await inPod(from, untilAnswerers(`http://${address}:30080/`, 2));
        assert.deepEqual(lines(all), ["on-a", "on-b"]);
      }
    const outside = get(`http://${b.address}:30081/cgi-bin/me`, "busybox wget");
    assert.equal(await a.machine.run("sh", ["-c", outside], LONG), `${a.address}\n`);
    // Without rules nobody listens there, which is refused at once.
    const nobody = `timeout 2 busybox wget -q -O - http://${a.address}:30081/`;
    const dropped = `until ${nobody}; test $? = 124; do sleep 0.2; done`;
    assert.equal(await b.machine.run("sh", ["-c", dropped], LONG), "");
  });

  await t.test("pods of both nodes ask the API as their service accounts", async () => {
    const files = "/var/run/secrets/kubernetes.io/serviceaccount";
    const request = `printf "GET /version HTTP/1.0\\r\\nHost: kubernetes\\r\\nAuthorization: Bearer $(cat ${files}/token)\\r\\n\\r\\n"`;
    const line = `${request} | socat -t 10 - OPENSSL:kubernetes.default.svc:443,cafile=${files}/ca.crt`;
    for (const from of ["ask-a", "ask-b"]) assert.match(await inPod(from, line), /"gitVersion"/);
  });

  await t.test("a NetworkPolicy holds for pods of the other node", async () => {
    const url = Object.fromEntries(
      await Promise.all(
        ["on-a", "on-b"].map(async (name) => [name, `http://${await addressOf(name)}:8080/`] as const),
      ),
    );
    const peer = (label: string) => [{ podSelector: { matchLabels: { ask: label } } }];
    await apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "only-a" },
      spec: {
        podSelector: { matchLabels: { app: "web" } },
        policyTypes: ["Ingress"],
        ingress: [{ from: peer("a"), ports: [{ port: 8080 }] }],
      },
    });
    for (const name of ["on-a", "on-b"]) {
      await inPod("ask-b", untilRefused(url[name]!));
      assert.equal(await inPod("ask-a", get(url[name]!)), `${name}\n`);
    }
    await inPod("ask-b", untilRefused("http://web/"));
    // Who is let in follows labels, on whichever node they change.
    await kubectl("label", "pod", "ask-b", "ask=a", "--overwrite");
    for (const name of ["on-a", "on-b"]) assert.equal(await inPod("ask-b", get(url[name]!)), `${name}\n`);
    await kubectl("label", "pod", "ask-b", "ask=b", "--overwrite");
    await apply({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "from-a" },
      spec: {
        podSelector: { matchLabels: { ask: "a" } },
        policyTypes: ["Egress"],
        egress: [{ to: [{ podSelector: { matchLabels: { on: "b" } } }] }],
      },
    });
    await inPod("ask-a", untilRefused(url["on-a"]!));
    assert.equal(await inPod("ask-a", get(url["on-b"]!)), "on-b\n");
    // A node's own probes always come through.
    await ready("pod", "-l", "app=web");
    await kubectl("delete", "networkpolicy", "--all");
    for (const name of ["on-a", "on-b"])
      for (const from of ["ask-a", "ask-b"]) assert.equal(await inPod(from, get(url[name]!)), `${name}\n`);
  });

  await t.test("kubectl reaches into pods of the node that joined", async () => {
    const command = ["sh", "-c", "echo one; while read -r line; do echo got $line; done"];
    await apply(pod("talks", {}, { ...web(b.node), containers: [{ ...asleep(), command, stdin: true }] }));
    await ready("pod/talks");
    assert.equal((await kubectl("exec", "talks", "--", "hostname")).trim(), "talks");
    const logs = startKubectl("logs", "-f", "talks");
    const attached = startKubectl("attach", "-i", "talks");
    attached.stdin!.write("line\n");
    assert.match(await saidUntil(attached, "got line"), /got line/);
    assert.match(await saidUntil(logs, "got line"), /^one\ngot line/);
    const forward = startKubectl("port-forward", "pod/on-b", ":8080");
    const [, port] = /127\.0\.0\.1:(\d+) ->/.exec(await saidUntil(forward, "8080")) ?? [];
    const answer = await a.machine.run("busybox", ["wget", "-q", "-O", "-", `http://127.0.0.1:${port}/`]);
    assert.equal(answer, "on-b\n");
    for (const child of [attached, logs, forward]) child.kill("SIGKILL");
  });

  await t.test("kubectl top tells of both nodes and of the pods on them", async () => {
    const tell = async (...words: string[]): Promise<string> => (await a.kubectl("top", ...words)).out;
    // Figures come when they are measured.
    let said = "";
    while (!/^node-a +\d+m/m.test(said) || !/^node-b +\d+m/m.test(said)) said = await tell("nodes");
    while (!/^on-a +\d+m/m.test(said) || !/^on-b +\d+m/m.test(said)) said = await tell("pods");
  });

  await t.test("a claim gets its volume on the node that joined, where its pod is", async () => {
    const claim = {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: { name: "data" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
    };
    const command = ["sh", "-c", "echo kept > /data/file; exec sleep 3600"];
    const spec = {
      nodeSelector: { "kubernetes.io/hostname": b.node },
      terminationGracePeriodSeconds: 0,
      volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }],
      containers: [{ ...asleep(), command, volumeMounts: [{ name: "data", mountPath: "/data" }] }],
    };
    await apply(claim, pod("keeps", {}, spec));
    await ready("pod/keeps");
    const written = "until test -s /data/file; do sleep 0.1; done; cat /data/file";
    assert.equal(await inPod("keeps", written), "kept\n");
    await kubectl("delete", "pod/keeps", "pvc/data");
    await kubectl("wait", "--for=delete", "pv", "--all", "--timeout=120s");
  });

  await t.test("killed, agent and containerd come back, and containers are the same", async () => {
    const before = await containers("app=web");
    process.kill((await b.status()).pid, "SIGKILL");
    const { containerd } = layoutOf(b.directory);
    process.kill(Number(await readFile(`${containerd.run}/pid`, "utf8")), "SIGKILL");
    await ok(b.kybern("up"));
    await ready("node", b.node);
    assert.equal((await kubectl("exec", "on-b", "--", "hostname")).trim(), "on-b");
    assert.equal(await containers("app=web"), before);
    assert.equal(await inPod("ask-b", get("http://web/cgi-bin/me")), `${await addressOf("ask-b")}\n`);
  });

  await t.test("without the control plane, pods of both nodes go on and reach each other", async () => {
    const before = await containers("");
    const address = await jsonPath("{.spec.clusterIP}", "service", "web");
    await ok(a.kybern("down"));
    const fetch = ["wget", "-q", "-O", "-", `http://${address}/`];
    const seen = new Set<string>();
    while (seen.size < 2) seen.add(await b.machine.run("busybox", fetch, LONG));
    assert.deepEqual([...seen].sort(), ["on-a\n", "on-b\n"]);
    await ok(a.kybern("up"));
    await ready("node", "--all");
    assert.equal(await containers(""), before);
    assert.equal((await kubectl("exec", "on-b", "--", "hostname")).trim(), "on-b");
  });

  await t.test("drained, the node that joined has no pods but those of daemons", async () => {
    await apply(...moving());
    await kubectl("rollout", "status", "deployment/moves", "--timeout=120s");
    await kubectl("rollout", "status", "daemonset/stays", "--timeout=120s");
    assert.equal(new Set(await nodesOf("app=moves")).size, 2);
    await kubectl("drain", b.node, "--ignore-daemonsets", "--pod-selector=app=moves", "--timeout=120s");
    await kubectl("rollout", "status", "deployment/moves", "--timeout=120s");
    assert.deepEqual(await nodesOf("app=moves"), [a.node, a.node]);
    await kubectl("uncordon", b.node);
    await kubectl("scale", "deployment/moves", "--replicas=4");
    await kubectl("rollout", "status", "deployment/moves", "--timeout=120s");
    assert.ok((await nodesOf("app=moves")).includes(b.node));
  });

  await t.test(
    "the pods of a node that is lost move, and those that stay are there when it is back",
    async () => {
      const stays = await podOn("app=stays", b.node);
      const [before, lost] = [await containers("app=stays"), await podOn("app=moves", b.node)];
      const { pid } = await b.status();
      await b.machine.wire("down");
      await kubectl("wait", "--for=condition=Ready=Unknown", `node/${b.node}`, "--timeout=180s");
      await kubectl("wait", "--for=jsonpath={.metadata.deletionTimestamp}", `pod/${lost}`, "--timeout=120s");
      await kubectl("rollout", "status", "deployment/moves", "--timeout=120s");
      const taints = await jsonPath("{.spec.taints[*].key} {.spec.taints[*].effect}", "node", b.node);
      assert.match(taints, /node\.kubernetes\.io\/unreachable/);
      assert.match(taints, /NoExecute/);
      await kubectl("wait", "--for=condition=Ready=False", `pod/${stays}`, "--timeout=60s");
      await inPod("ask-a", untilAlways("http://web/", "on-a"));

      await b.machine.wire("up");
      assert.equal((await b.status()).pid, pid);
      await kubectl("wait", "--for=condition=Ready", `node/${b.node}`, "--timeout=180s");
      await kubectl("wait", "--for=delete", `pod/${lost}`, "pod/on-b", "--timeout=120s");
      await ready(`pod/${stays}`);
      assert.equal(await containers("app=stays"), before);
      const tainted = async () => jsonPath("{.spec.taints[*].key}", "node", b.node);
      while (/unreachable|not-ready/.test(await tainted()));
      await apply(pod("on-b", { app: "web", on: "b" }, web(b.node)));
      await ready("pod/on-b");
      assert.equal(await inPod("ask-a", get(`http://${await addressOf("on-b")}:8080/`)), "on-b\n");
    },
  );

  await t.test("with another address, the machine that joined is the same node", async () => {
    const before = await containers("app=web");
    await changeAddress(b.machine, b.address, OTHER_ADDRESS);
    const told = `--for=jsonpath={.status.addresses[0].address}=${OTHER_ADDRESS}`;
    await kubectl("wait", told, `node/${b.node}`, "--timeout=180s");
    await ready("node", b.node);
    assert.equal(await inPod("on-a", get(`http://${await addressOf("on-b")}:8080/`)), "on-b\n");
    // Once it has a certificate for it.
    while ((await a.kubectl("exec", "on-b", "--", "true")).code !== 0);
    assert.equal(await containers("app=web"), before);
  });

  await t.test("reset, the machine that joined is as it was, and the cluster goes on", async () => {
    await ok(b.kybern("reset", "--yes"));
    await changeAddress(b.machine, OTHER_ADDRESS, b.address);
    assert.deepEqual(await b.traces(), b.bare);
    await kubectl("delete", "node", b.node);
    // Its pods are there, and available, until somebody notices that their node is not.
    const there = ["pod", "--selector=app=moves", `--field-selector=spec.nodeName=${b.node}`];
    await kubectl("wait", "--for=delete", ...there, "--timeout=180s");
    await kubectl("rollout", "status", "deployment/moves", "--timeout=180s");
    assert.deepEqual([...new Set(await nodesOf("app=moves"))], [a.node]);
    await ok(a.kybern("reset", "--yes"));
    assert.deepEqual(await a.traces(), a.bare);
  });
});

/** One that moves to where it can, with a part on each node, and one that every node has. */
function moving(): object[] {
  const of = (name: string, spec: object) => ({
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec },
  });
  // With a moment to end in, they are there until their node says that they have ended.
  const slow = { ...web(), terminationGracePeriodSeconds: 1 };
  const spread = {
    maxSkew: 1,
    topologyKey: "kubernetes.io/hostname",
    whenUnsatisfiable: "ScheduleAnyway",
    labelSelector: { matchLabels: { app: "moves" } },
  };
  return [
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "moves" },
      spec: { replicas: 2, ...of("moves", { ...slow, topologySpreadConstraints: [spread] }) },
    },
    { apiVersion: "apps/v1", kind: "DaemonSet", metadata: { name: "stays" }, spec: of("stays", slow) },
  ];
}

function asleep() {
  return { name: "main", image: BUSYBOX, command: ["sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait"] };
}
