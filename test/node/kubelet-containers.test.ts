/** What containers find themselves in: environment, files, names, rights; how they are asked, and told to end. */
import assert from "node:assert/strict";
import test from "node:test";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { hasPodEnded, isPodReady, podCondition } from "../../src/api/core/pod/state.ts";
import { Secret } from "../../src/api/core/secret.ts";
import { Service } from "../../src/api/core/services.ts";
import type { Container } from "../../src/api/schema/core.v1.generated.ts";
import { openContainerRuntime } from "../../src/kubelet/runtime/container-runtime.ts";
import { endsWhenTold, startNode } from "./harness/kubelet.ts";
import { cannotRunContainers as skip } from "./harness/machine.ts";

const image = "localhost/busybox:1";
const sh = (script: string): string[] => ["/bin/sh", "-c", script];
const WAIT = "trap 'exit 0' TERM; sleep 3600 & wait";
/** The last line of what ends: all that comes before it is written down when it is. */
const END = "that was all\n";

test("Kubelet gives containers", { skip, timeout: 400_000 }, async (t) => {
  const node = await startNode(t);
  const { client } = node.cluster;
  const pods = client.resource(Pod, "default");

  /** What the script says in a pod that ends with it. */
  async function said(name: string, script: string, spec: object = {}, container: Partial<Container> = {}) {
    await node.run(name, {
      restartPolicy: "Never",
      containers: [{ name: "main", image, command: sh(toTheEnd(script)), ...container }],
      ...spec,
    });
    const pod = await node.pod(name, hasPodEnded);
    const text = await node.log(pod, "main", (said) => said.endsWith(END));
    await pods.delete(name);
    assert.equal(pod.status?.phase, "Succeeded", text);
    return { text: text.slice(0, -END.length), pod };
  }

  await t.test("their environment", async () => {
    await client
      .resource(Secret, "default")
      .create({ metadata: { name: "keys" }, stringData: { user: "ann" } } as never);
    await client
      .resource(Service, "default")
      .create({ metadata: { name: "my-db" }, spec: { ports: [{ port: 5432 }] } });
    const env = [
      { name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "HOST_IP", valueFrom: { fieldRef: { fieldPath: "status.hostIP" } } },
      { name: "LABEL", valueFrom: { fieldRef: { fieldPath: "metadata.labels['a/b']" } } },
      { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
      { name: "MEMORY", valueFrom: { resourceFieldRef: { resource: "requests.memory", divisor: "1Mi" } } },
      { name: "BOTH", value: "$(NAME)-$(K_user) $$(NAME) $(NONE)" },
    ];
    const script =
      'echo "$NAME|$HOST_IP|$LABEL|$CPU|$MEMORY|$BOTH|$MY_DB_SERVICE_PORT|$KUBERNETES_SERVICE_PORT"; echo $IP $(hostname -i)';
    const resources = { requests: { memory: "32Mi" }, limits: { cpu: "1500m", memory: "64Mi" } };
    await node.run(
      "env",
      {
        restartPolicy: "Never",
        containers: [
          {
            name: "main",
            image,
            command: sh(toTheEnd(script)),
            env,
            envFrom: [{ prefix: "K_", secretRef: { name: "keys" } }],
            resources,
          },
        ],
      },
      { labels: { "a/b": "c" } },
    );
    const pod = await node.pod("env", hasPodEnded);
    const [first = "", second = ""] = (await node.log(pod, "main", (said) => said.endsWith(END))).split("\n");
    assert.equal(first, "env|198.18.0.1|c|2|32|env-ann $(NAME) $(NONE)|5432|443");
    assert.deepEqual(second.split(" "), [pod.status?.podIP, pod.status?.podIP]);
    await pods.delete("env");
  });

  await t.test("names, their own and those of others", async () => {
    const { text, pod } = await said("names", "hostname; cat /etc/resolv.conf /etc/hosts", {
      hostname: "host",
      subdomain: "sub",
      hostAliases: [{ ip: "192.0.2.9", hostnames: ["a.example", "b.example"] }],
      dnsConfig: { searches: ["own.example"], options: [{ name: "ndots", value: "2" }] },
    });
    assert.match(text, /^host\n/);
    const searches = "default.svc.cluster.local svc.cluster.local cluster.local example.org own.example";
    assert.ok(text.includes(`search ${searches}\nnameserver 10.96.0.10\noptions ndots:2\n`), text);
    assert.ok(text.includes(`${pod.status?.podIP}\thost.sub.default.svc.cluster.local\thost\n`), text);
    assert.ok(text.includes("# Entries added by HostAliases.\n192.0.2.9\ta.example\tb.example\n"), text);
  });

  await t.test("rights, and no more", async () => {
    const { text } = await said(
      "rights",
      "id; grep -E 'NoNewPrivs|CapEff' /proc/self/status; touch /x 2>&1; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; true",
      {
        securityContext: {
          runAsUser: 1000,
          runAsGroup: 2000,
          fsGroup: 3000,
          supplementalGroups: [4000],
          sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "80" }],
        },
      },
      {
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
      },
    );
    assert.match(text, /^uid=1000 gid=2000 groups=(2000,)?3000,4000\n/);
    assert.match(text, /CapEff:\t0{16}\nNoNewPrivs:\t1\n/);
    assert.match(text, /\/x: Read-only file system\n80\n$/);
  });

  await t.test("users of their own where they want them and the runtime can", async () => {
    const runtime = openContainerRuntime(node.containerd.socket);
    const { runtimeHandlers } = await runtime.status({}).finally(() => runtime.close());
    const volumes = [
      { name: "empty", emptyDir: {} },
      { name: "memory", emptyDir: { medium: "Memory" } },
      {
        name: "labels",
        downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] },
      },
    ];
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
    const spec = { hostUsers: false, volumes };
    const handler = runtimeHandlers.find(({ name }) => name === "");
    if (!handler?.features?.userNamespaces) {
      await node.run("users", spec);
      const message = "can't set `spec.hostUsers: false`, runtime does not support user namespaces";
      await node.event("users", "FailedCreatePodSandBox", `Failed to create pod sandbox: ${message}`);
      await pods.delete("users");
      await node.gone("users");
      return;
    }
    const script =
      "cat /proc/self/uid_map; id -u; echo last words > /dev/termination-log; cat /labels/name; echo; " +
      "cd /empty; touch file; stat -c '%u %g' file /memory/. /etc/hosts; chown 65534 file && stat -c %u file";
    const { text, pod } = await said("users", script, spec, { volumeMounts });
    const [map = "", ...lines] = text.trimEnd().split("\n");
    const [first, own = "", length] = map.trim().split(/\s+/);
    assert.deepEqual([first, length], ["0", "65536"]);
    assert.equal(Number(own) > 0 && Number(own) % 65_536, 0);
    assert.deepEqual(lines, ["0", "users", "0 0", "0 0", "0 0", "65534"]);
    assert.equal(pod.status?.containerStatuses?.[0]?.state?.terminated?.message, "last words\n");
  });

  await t.test("one process namespace where they want it", async () => {
    const startupProbe = {
      exec: { command: sh("ps -o args | grep -q '^sleep 3600'") },
      ...{ periodSeconds: 1, timeoutSeconds: 60, failureThreshold: 60 },
    };
    const { text } = await said("shared", "ps -o args | grep -c '^sleep 3600'", {
      shareProcessNamespace: true,
      initContainers: [{ name: "side", image, restartPolicy: "Always", command: sh(WAIT), startupProbe }],
    });
    assert.equal(text, "1\n");
  });

  await t.test("a refusal where they would run as root and must not", async () => {
    await node.run("root", {
      containers: [{ name: "main", image, securityContext: { runAsNonRoot: true } }],
    });
    const pod = await node.pod(
      "root",
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === "CreateContainerConfigError",
    );
    const { message } = pod.status?.containerStatuses?.[0]?.state?.waiting ?? {};
    const where = `(pod: "root_default(${pod.metadata.uid})", container: main)`;
    assert.equal(message, `container has runAsNonRoot and image will run as root ${where}`);
    await pods.delete("root");
  });

  await t.test("hooks at their start and end", async () => {
    const lifecycle = {
      postStart: { exec: { command: sh("echo started > /data/said") } },
      preStop: { exec: { command: sh("echo stopping >> /data/said; sleep 0.2") } },
    };
    const work = [{ name: "work", mountPath: "/data" }];
    const does = endsWhenTold("cat /data/said > /dev/termination-log");
    await node.run("hooks", {
      terminationGracePeriodSeconds: 60,
      containers: [{ name: "main", image, ...does, lifecycle, volumeMounts: work }],
      volumes: [{ name: "work", emptyDir: {} }],
    });
    await node.pod("hooks", isPodReady);
    const last = node.pod(
      "hooks",
      ({ status }) => status?.containerStatuses?.[0]?.state?.terminated !== undefined,
    );
    await pods.delete("hooks");
    assert.equal(
      (await last).status?.containerStatuses?.[0]?.state?.terminated?.message,
      "started\nstopping\n",
    );
    await node.gone("hooks");
  });

  await t.test("another start where they are not well", async () => {
    const probe = { periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 60 };
    const { command, readinessProbe } = endsWhenTold();
    await node.run("ill", {
      terminationGracePeriodSeconds: 60,
      containers: [
        {
          name: "main",
          image,
          command,
          startupProbe: { exec: { command: ["true"] }, periodSeconds: 1, timeoutSeconds: 60 },
          readinessProbe: { ...readinessProbe, ...probe },
          livenessProbe: {
            exec: { command: sh("test ! -e /tmp/ill || { echo so ill; exit 1; }") },
            ...probe,
          },
        },
      ],
    });
    const well = await node.pod("ill", isPodReady);
    const id = well.status?.containerStatuses?.[0]?.containerID?.slice("containerd://".length) ?? "";
    await node.exec(id, ["touch", "/tmp/ill"]);
    const again = await node.pod(
      "ill",
      (pod) => pod.status?.containerStatuses?.[0]?.restartCount === 1 && isPodReady(pod),
    );
    assert.equal(again.status?.containerStatuses?.[0]?.lastState?.terminated?.exitCode, 0);
    const second = again.status?.containerStatuses?.[0]?.containerID?.slice("containerd://".length) ?? "";
    await node.exec(second, ["rm", "/tmp/ready"]);
    const unready = await node.pod("ill", (pod) => podCondition(pod, "Ready")?.status === "False");
    assert.equal(podCondition(unready, "Ready")?.message, "containers with unready status: [main]");
    assert.equal(unready.status?.containerStatuses?.[0]?.restartCount, 1);
    await node.event("ill", "Created", "Container created");
    await node.event("ill", "Started", "Container started");
    await node.event("ill", "Unhealthy", "Liveness probe failed: so ill\n");
    await node.event("ill", "Killing", "Container main failed liveness probe, will be restarted");
    await pods.delete("ill");
  });

  await t.test("an answer to probes of every kind", async () => {
    const run = (name: string, readinessProbe: object, script: string) =>
      node.run(name, {
        containers: [
          {
            name: "main",
            image,
            command: sh(script),
            ports: [{ name: "web", containerPort: 8080 }],
            readinessProbe: { periodSeconds: 1, ...readinessProbe },
          },
        ],
      });
    const serve = `mkdir /www; echo fine > /www/health; httpd -p 8080 -h /www; ${WAIT}`;
    await run("http", { httpGet: { path: "/health", port: "web" } }, serve);
    await run("tcp", { tcpSocket: { port: 8080 } }, serve);
    await run("lost", { httpGet: { path: "/none", port: 8080 } }, serve);
    await run("closed", { tcpSocket: { port: 8081 } }, serve);
    await Promise.all([node.pod("http", isPodReady), node.pod("tcp", isPodReady)]);
    await node.event("lost", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404");
    const closed = await node.pod("closed", ({ status }) => status?.podIP !== undefined);
    const at = `${closed.status?.podIP}:8081`;
    await node.event(
      "closed",
      "Unhealthy",
      `Readiness probe failed: dial tcp ${at}: connect: connection refused`,
    );
    for (const name of ["http", "tcp", "lost", "closed"]) await pods.delete(name);
    for (const name of ["http", "tcp", "lost", "closed"]) await node.gone(name);
  });
  assert.deepEqual(node.warnings, []);
});

function toTheEnd(script: string): string {
  return `( ${script} ); code=$?; echo "that was all"; exit $code`;
}
