/**
 * An application of three tiers on a node, by kubectl alone:
 *
 *   NodePort, LoadBalancer ──▶ frontend ──▶ backend ──▶ store-0.store, on a claim
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { type Kubectl, openKubectl } from "./harness/kubectl.ts";
import { cannotRunContainers } from "./harness/machine.ts";
import { BUSYBOX, startTestNode, type TestNode } from "./harness/test-node.ts";

const CONTAINER = { name: "main", image: BUSYBOX };
const READY = { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 };
const PORTS = [{ port: 8080 }];

/** Serves a folder, and scripts of it as pages. */
function serving(scripts: Record<string, string>, name: string) {
  const data = Object.fromEntries(
    Object.entries(scripts).map(([file, script]) => [
      file,
      `#!/bin/sh\nprintf 'Content-Type: text/plain\\r\\n\\r\\n'\n${script}\n`,
    ]),
  );
  const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data };
  const volumes = [{ name: "pages", configMap: { name, defaultMode: 0o755 } }];
  const container = {
    ...CONTAINER,
    command: ["/bin/sh", "-c", "mkdir -p /www && echo ok > /www/index.html && exec httpd -f -p 8080 -h /www"],
    readinessProbe: READY,
    livenessProbe: READY,
    volumeMounts: [{ name: "pages", mountPath: "/www/cgi-bin" }],
  };
  return { config, spec: { volumes, containers: [container] } };
}

function deployment(name: string, scripts: Record<string, string>, replicas: number) {
  const { config, spec } = serving(scripts, name);
  const labels = { app: name };
  const template = { metadata: { labels }, spec };
  return [
    config,
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name },
      spec: { replicas, selector: { matchLabels: labels }, template },
    },
  ];
}

function service(name: string, more: object = {}) {
  const spec = { selector: { app: name }, ports: PORTS, ...more };
  return { apiVersion: "v1", kind: "Service", metadata: { name }, spec };
}

const STORE = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "store" },
  spec: {
    serviceName: "store",
    selector: { matchLabels: { app: "store" } },
    template: {
      metadata: { labels: { app: "store" } },
      spec: {
        containers: [
          {
            ...CONTAINER,
            command: [
              "/bin/sh",
              "-c",
              'test -e /data/entries || echo "first entry by $OWNER" > /data/entries; cp /data/entries /data/index.html; exec httpd -f -p 8080 -h /data',
            ],
            env: [{ name: "OWNER", valueFrom: { secretKeyRef: { name: "owner", key: "name" } } }],
            readinessProbe: READY,
            volumeMounts: [{ name: "data", mountPath: "/data" }],
          },
        ],
      },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: "data" },
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "16Mi" } } },
      },
    ],
  },
};

const GUESTBOOK = {
  apiVersion: "v1",
  kind: "List",
  items: [
    { apiVersion: "v1", kind: "Secret", metadata: { name: "owner" }, stringData: { name: "somebody" } },
    STORE,
    service("store", { clusterIP: "None" }),
    ...deployment("backend", { entries: "wget -q -O - http://store-0.store:8080/entries" }, 1),
    service("backend"),
    ...deployment(
      "frontend",
      { guestbook: "echo Guestbook; wget -q -O - http://backend:8080/cgi-bin/entries" },
      2,
    ),
    service("frontend", { type: "NodePort" }),
  ],
};

describe("a guestbook", { skip: cannotRunContainers }, () => {
  let node: TestNode;
  let kubectl: Kubectl;
  before(async () => {
    node = await startTestNode();
    kubectl = await openKubectl(node);
    await kubectl.ok(["apply", "-f", "-"], JSON.stringify(GUESTBOOK));
    for (const workload of ["statefulset/store", "deployment/backend", "deployment/frontend"]) {
      await kubectl.ok(["rollout", "status", workload, "--timeout=60s"]);
    }
  });
  after(async () => {
    await kubectl?.[Symbol.asyncDispose]();
    await node?.[Symbol.asyncDispose]();
  });

  const firstPod = async (app: string): Promise<string> =>
    (await kubectl.ok(["get", "pods", "-l", `app=${app}`, "-o", "name"])).split("\n")[0]!.replace("pod/", "");

  async function read(): Promise<string> {
    const port = await kubectl.ok(["get", "service", "frontend", "-o", "jsonpath={.spec.ports[0].nodePort}"]);
    return (await fetch(`http://${node.address}:${port}/cgi-bin/guestbook`)).text();
  }

  /** The proxy and DNS see a moment later what became of pods, and tell nobody: they are asked until then. */
  async function reads(wanted: string): Promise<void> {
    const end = performance.now() + 60_000;
    let said: string;
    do said = await read().catch(String);
    while (said !== wanted && performance.now() < end);
    assert.equal(said, wanted);
  }

  test("is read through all its tiers from outside", async () => {
    await reads("Guestbook\nfirst entry by somebody\n");
  });

  test("is served by a proxy that tells how it does where upstream's does", async () => {
    const page = (at: string): Promise<string> =>
      text(node.spawn("busybox", ["wget", "-q", "-O", "-", `http://${at}`]).stdout!);
    const { nodeEligible } = JSON.parse(await page(`${node.address}:10256/healthz`)) as Record<
      string,
      unknown
    >;
    assert.equal(nodeEligible, true);
    assert.equal(await page("127.0.0.1:10249/proxyMode"), "nftables");
    assert.match(
      await page("127.0.0.1:10249/metrics"),
      /^kubeproxy_sync_proxy_rules_duration_seconds_count [1-9]/m,
    );
    assert.equal(await page(`${node.address}:10249/proxyMode`), "", "for the machine itself alone");
  });

  test("keeps its entries on the claim when its store is replaced", async () => {
    await kubectl.ok(["exec", "store-0", "--", "sh", "-c", "echo second entry >> /data/entries"]);
    await kubectl.ok(["delete", "pod", "store-0", "--wait", "--grace-period=1"]);
    await kubectl.ok(["wait", "pod/store-0", "--for=create", "--timeout=60s"]);
    await kubectl.ok(["wait", "pod/store-0", "--for=condition=Ready", "--timeout=60s"]);
    await reads("Guestbook\nfirst entry by somebody\nsecond entry\n");
  });

  test("has jobs run to their end, by hand, by schedule's template and on each node", async () => {
    await kubectl.ok(["create", "job", "once", `--image=${BUSYBOX}`, "--", "echo", "done"]);
    await kubectl.ok(["wait", "job/once", "--for=condition=Complete", "--timeout=60s"]);
    assert.equal(await kubectl.ok(["logs", "job/once"]), "done\n");
    await kubectl.ok([
      "create",
      "cronjob",
      "often",
      `--image=${BUSYBOX}`,
      "--schedule=0 0 1 1 *",
      "--",
      "date",
    ]);
    await kubectl.ok(["create", "job", "now", "--from=cronjob/often"]);
    await kubectl.ok(["wait", "job/now", "--for=condition=Complete", "--timeout=60s"]);
    const selector = { matchLabels: { app: "agent" } };
    const template = {
      metadata: { labels: { app: "agent" } },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ ...CONTAINER, command: ["sleep", "1000"] }] },
    };
    const daemons = {
      apiVersion: "apps/v1",
      kind: "DaemonSet",
      metadata: { name: "agent" },
      spec: { selector, template },
    };
    await kubectl.ok(["apply", "-f", "-"], JSON.stringify(daemons));
    await kubectl.ok(["rollout", "status", "daemonset/agent", "--timeout=60s"]);
  });

  test("is followed by logs, entered by exec, and copied from and to", async () => {
    const pod = await firstPod("backend");
    assert.equal(await kubectl.ok(["exec", "-i", pod, "--", "cat"], "through\n"), "through\n");
    const { code } = await kubectl.run(["exec", pod, "--", "sh", "-c", "exit 7"]);
    assert.equal(code, 7);
    const folder = await mkdtemp(join(tmpdir(), "kyc-"));
    try {
      await writeFile(join(folder, "sent"), "hello ".repeat(10_000));
      await kubectl.ok(["cp", join(folder, "sent"), `${pod}:/tmp/sent`]);
      await kubectl.ok(["cp", `${pod}:/tmp/sent`, join(folder, "back")]);
      assert.equal(await readFile(join(folder, "back"), "utf8"), "hello ".repeat(10_000));
    } finally {
      await rm(folder, { recursive: true });
    }
    const count = ["run", "counter", `--image=${BUSYBOX}`, "--restart=Never", "--", "sh", "-c"];
    const rest = "for i in 2 3 4 5; do echo line $i; done";
    await kubectl.ok([...count, `mkfifo /tmp/go; echo line 1; read line < /tmp/go; ${rest}`]);
    await kubectl.ok(["wait", "pod/counter", "--for=jsonpath={.status.phase}=Running", "--timeout=60s"]);
    const follower = kubectl.start(["logs", "-f", "counter"]);
    let said = "";
    let told: Promise<unknown> | undefined;
    for await (const chunk of follower.stdout!) {
      said += chunk;
      // The container may end before what tells it to.
      if (said === "line 1\n") told ??= kubectl.run(["exec", "counter", "--", "sh", "-c", "echo > /tmp/go"]);
    }
    await told;
    assert.equal(said, "line 1\nline 2\nline 3\nline 4\nline 5\n");
  });

  test("is reached through port-forward", async () => {
    const child = kubectl.start(["port-forward", "service/frontend", ":8080"]);
    const [line] = (await once(child.stdout!, "data")) as [Buffer];
    const port = /127\.0\.0\.1:(\d+)/.exec(line.toString())?.[1];
    const answers = await Promise.all(
      Array.from({ length: 5 }, async () => (await fetch(`http://127.0.0.1:${port}/`)).text()),
    );
    assert.deepEqual(new Set(answers), new Set(["ok\n"]));
    child.kill();
    await once(child, "exit");
  });

  test("is looked into by debug, run --rm and attach", async () => {
    const pod = await firstPod("backend");
    const debug = ["debug", "-i", pod, `--image=${BUSYBOX}`, "--target=main", "--", "sh", "-c"];
    // Only who is attached already hears it.
    const child = kubectl.start([...debug, "until read -t 1 line; do ps | grep httpd; done"]);
    let said = "";
    // Whoever ends what the container reads has seen enough of what it says.
    for await (const chunk of child.stdout!) {
      said += chunk;
      if (/httpd -f -p 8080/.test(said) && !child.stdin!.writableEnded) child.stdin!.end("enough\n");
    }
    assert.match(said, /httpd -f -p 8080/);
    const run = ["run", "asker", "--rm", "-i", "--restart=Never", `--image=${BUSYBOX}`, "--", "sh", "-c"];
    assert.match(await kubectl.ok([...run, "read line; echo heard $line"], "me\n"), /heard me/);
  });
});
