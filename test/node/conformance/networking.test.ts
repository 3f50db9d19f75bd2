import assert from "node:assert/strict";
import { Service } from "../../../src/api/core/services.ts";
import { behaviour, runningPod, type World } from "./behaviour.ts";
import {
  ask,
  askBySocat,
  get,
  getUDP,
  httpServer,
  makeService,
  ON_NODE,
  serve,
  udpServer,
  untilEndpoints,
} from "./network.ts";

const SERVERS = { app: "server" };

async function servers(world: World): Promise<string[]> {
  const names = ["server-1", "server-2"];
  const containers = [httpServer(8083), udpServer(8081)];
  const pods = await Promise.all(names.map((name) => serve(world, name, SERVERS, containers)));
  return pods.map(({ status }) => status!.podIP!);
}

async function hears(world: World, by: "http" | "udp", from: object): Promise<void> {
  const [one, two] = await servers(world);
  const line = (ip: string | undefined): string =>
    by === "http" ? get(`http://${ip}:8083`) : getUDP(`${ip}:8081`);
  const said = await (by === "http" ? ask : askBySocat)(world, `${line(one)}; ${line(two)}`, from);
  assert.equal(said, "server-1\nserver-2\n");
}

behaviour(
  "[sig-network] Networking Granular Checks: Pods should function for intra-pod communication: http [NodeConformance] [Conformance]",
  (world) => hears(world, "http", {}),
);
behaviour(
  "[sig-network] Networking Granular Checks: Pods should function for intra-pod communication: udp [NodeConformance] [Conformance]",
  (world) => hears(world, "udp", {}),
);
behaviour(
  "[sig-network] Networking Granular Checks: Pods should function for node-pod communication: http [LinuxOnly] [NodeConformance] [Conformance]",
  (world) => hears(world, "http", ON_NODE),
);
behaviour(
  "[sig-network] Networking Granular Checks: Pods should function for node-pod communication: udp [LinuxOnly] [NodeConformance] [Conformance]",
  (world) => hears(world, "udp", ON_NODE),
);

/* The API server's proxy to pods and Services. */

async function proxied({ client, namespace }: World, path: string): Promise<string> {
  const whole = `/api/v1/namespaces/${namespace}/${path}`;
  const { status, body } = await client.request({ method: "GET", path: whole });
  assert.equal(status, 200, path);
  return Buffer.from(body).toString();
}

async function proxyTarget(world: World): Promise<void> {
  await serve(world, "web", { app: "web" }, [httpServer(80), httpServer(1080, "other")]);
  const ports = [
    { name: "portname1", port: 80, targetPort: 80 },
    { name: "portname2", port: 81, targetPort: 1080 },
  ];
  await makeService(world, "svc", { selector: { app: "web" }, ports });
  await untilEndpoints(world, "svc", 1);
}

behaviour(
  "[sig-network] Proxy version v1 should proxy through a service and a pod [Conformance]",
  async (world) => {
    await proxyTarget(world);
    for (const path of [
      "pods/web/proxy/",
      "pods/web:80/proxy/",
      "pods/http:web:1080/proxy/",
      "services/svc:portname1/proxy/",
      "services/http:svc:portname2/proxy/",
      "services/svc:80/proxy/",
      "services/svc:81/proxy/",
    ]) {
      assert.equal(await proxied(world, path), "web\n", path);
    }
  },
);

/** Without a path behind it the proxy leads to the root, so that relative links of pages work. */
async function leadsToRoot(world: World): Promise<void> {
  const { client, namespace } = world;
  await proxyTarget(world);
  for (const path of ["pods/web:80/proxy", "services/svc:portname1/proxy"]) {
    for (const method of ["GET", "HEAD"]) {
      const whole = `/api/v1/namespaces/${namespace}/${path}`;
      const { status, headers } = await client.request({ method, path: whole });
      assert.deepEqual([status, headers.location], [301, `${whole}/`]);
    }
    assert.equal(await proxied(world, `${path}/`), "web\n");
  }
}

async function leadsToPages(world: World): Promise<void> {
  const { client, namespace } = world;
  await proxyTarget(world);
  for (const path of ["pods/web:80/proxy/index.html", "services/svc:portname1/proxy/index.html"]) {
    assert.equal(await proxied(world, path), "web\n", path);
    const whole = `/api/v1/namespaces/${namespace}/${path}`;
    assert.equal((await client.request({ method: "HEAD", path: whole })).body.length, 0);
    // The server in the pod takes no such request, and says so itself.
    await assert.rejects(client.request({ method: "DELETE", path: whole }), { code: 501 });
  }
}

behaviour(
  "[sig-network] Proxy version v1 A set of valid responses are returned for both pod and service Proxy [Conformance]",
  leadsToRoot,
);
behaviour(
  "[sig-network] Proxy version v1 A set of valid responses are returned for both pod and service ProxyWithPath [Conformance]",
  leadsToPages,
);

/* Names. */

/** Asks until there are as many answers as lines with the name of the type's field. */
const resolves = (name: string, type = "a", field = "", count = 1): string =>
  `until nslookup -type=${type} ${name} > /tmp/said 2>&1 && test $(grep -c '${field}' /tmp/said) -ge ${count}; do sleep 0.2; done; cat /tmp/said`;

behaviour("[sig-network] DNS should provide DNS for the cluster [Conformance]", async (world) => {
  assert.match(await ask(world, resolves("kubernetes.default.svc.cluster.local")), /Address: 10\.96\.0\.1\n/);
});

behaviour(
  "[sig-network] DNS should resolve DNS of partial qualified names for services [LinuxOnly] [Conformance]",
  async (world) => {
    const made = await makeService(world, "test-service", { selector: SERVERS, ports: [{ port: 80 }] });
    const ip = made.spec!.clusterIP!;
    const names = ["test-service", `test-service.${world.namespace}`, `test-service.${world.namespace}.svc`];
    // By the C library, through the search list of the pod.
    const said = await askBySocat(world, names.map((name) => opens(name, ip)).join("; "));
    assert.equal(said, "found\nfound\nfound\n");
  },
);

function opens(name: string, ip: string): string {
  const connect = `socat -d -d -d /dev/null TCP:${name}:80,connect-timeout=1`;
  return `until ${connect} 2>&1 | grep -q ${ip}; do sleep 0.2; done; echo found`;
}

function finds(name: string, ip: string): string {
  return `until nslookup ${name} | grep -q ${ip}; do sleep 0.2; done; echo found`;
}

behaviour("[sig-network] DNS should provide DNS for services [Conformance]", async (world) => {
  const ports = [{ name: "http", port: 80, protocol: "TCP" }];
  const plain = await makeService(world, "plain", { selector: SERVERS, ports });
  await makeService(world, "headless", { clusterIP: "None", selector: SERVERS, ports });
  const [one, two] = await servers(world);
  await untilEndpoints(world, "headless", 2);
  const domain = `${world.namespace}.svc.cluster.local`;
  const ip = plain.spec!.clusterIP!;
  const reversed = `${ip.split(".").reverse().join(".")}.in-addr.arpa`;
  const said = await ask(
    world,
    [
      resolves(`plain.${domain}`),
      // The server's own address is one more.
      resolves(`headless.${domain}`, "a", "^Address: 10.244", 2),
      resolves(`_http._tcp.plain.${domain}`, "srv"),
      resolves(`_http._tcp.headless.${domain}`, "srv", "service =", 2),
      resolves(reversed, "ptr"),
    ].join("; "),
  );
  for (const address of [ip, one, two])
    assert.ok(said.includes(`Address: ${address}\n`), `${address}\n${said}`);
  assert.match(said, new RegExp(`service = 0 \\d+ 80 plain\\.${domain}`));
  assert.match(said, new RegExp(`name = plain\\.${domain}`));
  assert.equal(
    said.match(new RegExp(`service = 0 \\d+ 80 [\\w-]+\\.headless\\.${domain}`, "g"))?.length,
    2,
    said,
  );
});

behaviour("[sig-network] DNS should provide DNS for ExternalName services [Conformance]", async (world) => {
  const services = world.client.resource(Service, world.namespace);
  const name = `external.${world.namespace}.svc.cluster.local`;
  const target = `kubernetes.default.svc.cluster.local`;
  await makeService(world, "external", { type: "ExternalName", externalName: target });
  assert.match(
    await ask(world, resolves(name, "cname")),
    /canonical name = kubernetes\.default\.svc\.cluster\.local/,
  );
  const now = await services.get("external");
  const changed = await services.update({ ...now, spec: { type: "ClusterIP", ports: [{ port: 80 }] } });
  assert.equal(await ask(world, finds(name, changed.spec!.clusterIP!)), "found\n");
});

behaviour(
  "[sig-network] DNS should provide /etc/hosts entries for the cluster [Conformance]",
  async (world) => {
    await makeService(world, "dns", { clusterIP: "None", selector: { app: "hosts" }, ports: [{ port: 80 }] });
    const command = "grep -c $(hostname) /etc/hosts; grep $(hostname) /etc/hosts";
    const said = await ask(world, command, { hostname: "querier", subdomain: "dns" });
    assert.match(
      said,
      new RegExp(`^1\\n[\\d.]+\\tquerier\\.dns\\.${world.namespace}\\.svc\\.cluster\\.local\\tquerier\\n`),
    );
  },
);

async function named(world: World): Promise<string> {
  await makeService(world, "dns", {
    clusterIP: "None",
    selector: SERVERS,
    ports: [{ name: "http", port: 80 }],
  });
  const spec = { hostname: "querier", subdomain: "dns", containers: [httpServer()] };
  const pod = await runningPod(world, "querier", spec, SERVERS);
  await untilEndpoints(world, "dns", 1);
  return pod.status!.podIP!;
}

behaviour("[sig-network] DNS should provide DNS for pods for Hostname [Conformance]", async (world) => {
  const ip = await named(world);
  assert.equal(await ask(world, finds(`querier.dns.${world.namespace}.svc.cluster.local`, ip)), "found\n");
});

behaviour("[sig-network] DNS should provide DNS for pods for Subdomain [Conformance]", async (world) => {
  const ip = await named(world);
  assert.equal(await ask(world, finds(`dns.${world.namespace}.svc.cluster.local`, ip)), "found\n");
});

behaviour(
  "[sig-network] DNS should support configurable pod DNS nameservers [Conformance]",
  async (world) => {
    const dnsConfig = {
      nameservers: ["1.1.1.1"],
      searches: ["resolv.conf.local"],
      options: [{ name: "ndots", value: "2" }],
    };
    const said = await ask(world, "cat /etc/resolv.conf", { dnsPolicy: "None", dnsConfig });
    assert.equal(said, "search resolv.conf.local\nnameserver 1.1.1.1\noptions ndots:2\n");
  },
);
