import assert from "node:assert/strict";
import { PriorityClass } from "../../../src/api/scheduling/priority-class.ts";
import { behaviour, names } from "./behaviour.ts";

behaviour(
  "[sig-scheduling] SchedulerPreemption [Serial] PriorityClass endpoints verify PriorityClass endpoints can be operated with different HTTP methods [Conformance]",
  async ({ client }) => {
    const classes = client.resource(PriorityClass);
    const labels = { behaviour: "yes" };
    for (const [name, value] of [
      ["p1", 1],
      ["p2", 2],
    ] as const) {
      await classes.create({ metadata: { name, labels }, value });
    }
    assert.deepEqual(await names(classes, "behaviour=yes"), ["p1", "p2"]);
    const patched = await classes.patch("p1", { description: "patched" }, { type: "strategic" });
    assert.equal(patched.description, "patched");
    await classes.update({ ...(await classes.get("p2")), description: "updated" });
    assert.equal((await classes.get("p2")).description, "updated");
    await assert.rejects(classes.patch("p1", { value: 7 }, { type: "strategic" }), { reason: "Invalid" });
    await assert.rejects(classes.update({ ...(await classes.get("p2")), value: 7 }), { reason: "Invalid" });
    assert.equal((await classes.get("p1")).value, 1);
    assert.equal((await classes.get("p2")).value, 2);
    await classes.deleteCollection({ labelSelector: "behaviour=yes" });
    assert.deepEqual(await names(classes, "behaviour=yes"), []);
  },
);
