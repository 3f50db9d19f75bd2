/** What becomes of pods and their containers in the course of their lives. */
import assert from "node:assert/strict";
import test from "node:test";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { isPodReady, podCondition } from "../../src/api/core/pod/state.ts";
import type { ContainerStatus } from "../../src/api/schema/core.v1.generated.ts";
import { startNode } from "./harness/kubelet.ts";
import { cannotRunContainers as skip } from "./harness/machine.ts";

const image = "localhost/busybox:1";
const sh = (script: string): string[] => ["/bin/sh", "-c", script];
const WAIT = "trap 'exit 0' TERM; sleep 3600 & wait";

test("Kubelet", { skip, timeout: 300_000 }, async (t) => {
  const node = await startNode(t);
  const pods = node.cluster.client.resource(Pod, "default");

  await t.test("restarts all containers in place when a rule of one of them asks for it", async () => {
    const volumeMounts = [{ name: "notes", mountPath: "/notes" }];
    const rule = { action: "RestartAllContainers", exitCodes: { operator: "In", values: [42] } };
    // Its first life ends as soon as the others are up.
    const script = `[ -e /notes/again ] || { touch /notes/again; sleep 0.3; exit 42; }; ${WAIT}`;
    await node.run("anew", {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 600,
      volumes: [{ name: "notes", emptyDir: {} }],
      initContainers: [{ name: "init", image, command: ["true"] }],
      containers: [
        // It takes no notice of signals, and would take its hook's time.
        {
          name: "main",
          image,
          command: sh("trap '' TERM; sleep 3600 & wait; sleep 3600"),
          lifecycle: { preStop: { exec: { command: ["sleep", "600"] } } },
        },
        {
          name: "asks",
          image,
          command: sh(script),
          volumeMounts,
          restartPolicy: "Never",
          restartPolicyRules: [rule],
        },
      ],
    });
    const began = await node.pod("anew", ({ status }) => status?.podIP !== undefined);
    const during = await node.pod(
      "anew",
      (pod) => podCondition(pod, "AllContainersRestarting")?.status === "True",
    );
    const condition = podCondition(during, "AllContainersRestarting");
    assert.equal(condition?.reason, "RestartAllContainersStarted");
    assert.equal(during.status?.phase, "Running");
    const after = await node.pod("anew", (pod) => {
      const { containerStatuses = [] } = pod.status ?? {};
      return isPodReady(pod) && containerStatuses.every(({ restartCount }) => restartCount === 1);
    });
    assert.equal(after.status?.podIP, began.status?.podIP);
    assert.equal(podCondition(after, "AllContainersRestarting")?.status, "False");
    const { containerStatuses = [], initContainerStatuses = [] } = after.status ?? {};
    const told = ({ name, restartCount, state, lastState }: ContainerStatus) => [
      name,
      restartCount,
      state?.terminated?.exitCode,
      lastState?.terminated?.exitCode,
    ];
    assert.deepEqual([...initContainerStatuses, ...containerStatuses].map(told), [
      ["init", 1, 0, 0],
      ["asks", 1, undefined, 42],
      ["main", 1, undefined, 137],
    ]);
    await node.event("anew", "Killing", "killing");
    await pods.delete("anew", { gracePeriodSeconds: 0 });
    await node.gone("anew");
  });

  await t.test("restarts all containers for init containers and sidecars too", async () => {
    const volumeMounts = [{ name: "notes", mountPath: "/notes" }];
    const volumes = [{ name: "notes", emptyDir: {} }];
    const restartPolicyRules = [
      { action: "RestartAllContainers", exitCodes: { operator: "In", values: [42] } },
    ];
    /** Ends with 42 the first time that it gets so far, and goes on with the second script from then on. */
    const once = (name: string, first: string, then: string) =>
      sh(`if [ -e /notes/${name} ]; then ${then}; else ${first}; touch /notes/${name}; exit 42; fi`);
    const asks = { image, volumeMounts, restartPolicyRules };
    const main = { name: "main", image, command: sh(WAIT) };
    // The sidecar ends for the first time when the other container runs, whichever of both comes first to the pipe.
    const says = sh(`[ -e /notes/side ] || echo > /notes/runs; ${WAIT}`);
    const hears = "mkfifo /notes/runs; read line < /notes/runs";
    await node.run("by-init", {
      restartPolicy: "Never",
      volumes,
      initContainers: [
        { name: "first", image, command: ["true"] },
        { name: "second", ...asks, command: once("second", ":", ":"), restartPolicy: "Never" },
      ],
      containers: [main],
    });
    await node.run("by-sidecar", {
      restartPolicy: "Never",
      volumes,
      initContainers: [
        { name: "side", ...asks, command: once("side", hears, WAIT), restartPolicy: "Always" },
      ],
      containers: [{ ...main, command: says, volumeMounts }],
    });
    await node.run("then-fails", {
      restartPolicy: "Never",
      volumes,
      initContainers: [{ name: "init", image, volumeMounts, command: sh("[ ! -e /notes/main ]") }],
      containers: [{ ...main, ...asks, command: once("main", ":", ":"), restartPolicy: "Never" }],
    });
    const counts = ({ status }: Pod): number[] =>
      [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(
        ({ restartCount }) => restartCount,
      );
    assert.deepEqual(counts(await node.pod("by-init", isPodReady)), [1, 1, 0]);
    const bySidecar = await node.pod(
      "by-sidecar",
      (pod) => isPodReady(pod) && counts(pod).every((count) => count === 1),
    );
    assert.equal(bySidecar.status?.containerStatuses?.[0]?.lastState?.terminated !== undefined, true);
    const failed = await node.pod("then-fails", ({ status }) => status?.phase === "Failed");
    assert.equal(failed.status?.initContainerStatuses?.[0]?.state?.terminated?.exitCode, 1);
    for (const name of ["by-init", "by-sidecar", "then-fails"]) {
      await pods.delete(name, { gracePeriodSeconds: 0 });
      await node.gone(name);
    }
  });

  await t.test("gives containers variables of a file that an init container wrote", async () => {
    const volumeMounts = [{ name: "notes", mountPath: "/notes" }];
    const ref = (key: string, optional = false) => ({
      fileKeyRef: { volumeName: "notes", path: "made/env", key, optional },
    });
    const script = `mkdir /notes/made; printf "# made\\nADDRESS='db.example'\\nTEXT='two\\nlines'\\n" > /notes/made/env`;
    await node.run("read-file", {
      restartPolicy: "Never",
      volumes: [{ name: "notes", emptyDir: {} }],
      initContainers: [{ name: "init", image, command: sh(script), volumeMounts }],
      containers: [
        {
          name: "main",
          image,
          command: sh('[ "$ADDRESS/$TEXT/$NONE" = "db.example/two\nlines/" ]'),
          env: [
            { name: "ADDRESS", valueFrom: ref("ADDRESS") },
            { name: "TEXT", valueFrom: ref("TEXT") },
            { name: "NONE", valueFrom: ref("NONE", true) },
          ],
        },
        {
          name: "fails",
          image,
          command: ["true"],
          env: [{ name: "NONE", valueFrom: ref("NONE") }],
        },
      ],
    });
    const message = 'environment variable key "NONE" not found in file "made/env"';
    const pod = await node.pod("read-file", ({ status }) => {
      const [fails, main] = status?.containerStatuses ?? [];
      return main?.state?.terminated !== undefined && fails?.state?.waiting?.message === message;
    });
    const [fails, main] = pod.status?.containerStatuses ?? [];
    assert.equal(main?.state?.terminated?.exitCode, 0);
    assert.equal(fails?.state?.waiting?.reason, "CreateContainerConfigError");
    await node.event("read-file", "Failed", `Error: ${message}`);
    await pods.delete("read-file", { gracePeriodSeconds: 0 });
    await node.gone("read-file");
  });

  await t.test("ends other pods where a critical one has no room", async () => {
    const asking = (cpu: string) => [
      { name: "main", image, command: sh(WAIT), resources: { requests: { cpu } } },
    ];
    await node.run("small", { containers: asking("500m") });
    await node.run("large", { containers: asking("7") });
    await node.pod("small", isPodReady);
    await node.pod("large", isPodReady);
    await node.run("critical", { containers: asking("1"), priorityClassName: "system-node-critical" });
    await node.pod("critical", isPodReady);
    const small = await node.pod("small", ({ status }) => status?.phase === "Failed");
    const { phase, reason, message } = small.status ?? {};
    assert.deepEqual(
      [phase, reason, message],
      ["Failed", "Preempting", "Preempted in order to admit critical pod"],
    );
    const disruption = podCondition(small, "DisruptionTarget");
    assert.equal(disruption?.reason, "TerminationByKubelet");
    assert.equal(disruption?.message, "Pod was preempted by Kubelet to accommodate a critical pod.");
    await node.event("small", "Preempting", "Preempted in order to admit critical pod");
    assert.ok(isPodReady(await pods.get("large")), "what is nearest to what is lacking is enough");
    await node.run("too-much", { containers: asking("9"), priorityClassName: "system-node-critical" });
    const refused = await node.pod("too-much", ({ status }) => status?.phase === "Failed");
    assert.equal(refused.status?.reason, "UnexpectedAdmissionError");
    assert.equal(refused.status?.containerStatuses, undefined, "so that users see the reason");
    for (const name of ["small", "large", "critical", "too-much"]) {
      await pods.delete(name, { gracePeriodSeconds: 0 });
      await node.gone(name);
    }
  });

  assert.deepEqual(node.warnings, []);

  await t.test("goes on restarting all containers when it was itself restarted meanwhile", async () => {
    const asks = "[ -e /notes/again ] || { touch /notes/again; exit 42; }";
    const rule = { action: "RestartAllContainers", exitCodes: { operator: "In", values: [42] } };
    await node.run("meanwhile", {
      restartPolicy: "Never",
      volumes: [{ name: "notes", emptyDir: {} }],
      containers: [
        { name: "stubborn", image, command: sh("trap '' TERM; sleep 3600 & wait; sleep 3600") },
        {
          name: "asks",
          image,
          command: sh(`${asks}; ${WAIT}`),
          volumeMounts: [{ name: "notes", mountPath: "/notes" }],
          restartPolicy: "Never",
          restartPolicyRules: [rule],
        },
      ],
    });
    await node.pod("meanwhile", (pod) => podCondition(pod, "AllContainersRestarting")?.status === "True");
    await node.restart();
    const after = await node.pod("meanwhile", isPodReady);
    const counts = after.status?.containerStatuses?.map(({ restartCount }) => restartCount);
    assert.deepEqual(counts, [1, 1]);
    await pods.delete("meanwhile", { gracePeriodSeconds: 0 });
    await node.gone("meanwhile");
  });
});
