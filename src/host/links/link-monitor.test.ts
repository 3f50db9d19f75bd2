import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoss } from "./link-monitor.ts";

test("isLoss knows what is taken from a link, and from no other", () => {
  const lost = [
    "Deleted 10.244.2.0/24 via 10.244.2.0 dev kybern.1 onlink ",
    "Deleted 5: kybern.1: <BROADCAST,MULTICAST> mtu 1450 qdisc noop state DOWN group default ",
    "Deleted 5: kybern.1    inet 10.244.1.0/32 scope global kybern.1",
    "5: kybern.1: <BROADCAST,MULTICAST> mtu 1450 qdisc noqueue state DOWN group default ",
  ];
  for (const line of lost) assert.ok(isLoss(line, "kybern.1"), line);
  const nothing = [
    "10.244.2.0/24 via 10.244.2.0 dev kybern.1 onlink ",
    "5: kybern.1: <BROADCAST,MULTICAST,UP> mtu 1450 qdisc noqueue state UNKNOWN group default ",
    "Deleted 10.244.2.0/24 via 10.244.2.0 dev kybern.10 onlink ",
    "Deleted 10.244.1.5 dev vethabc scope host ",
  ];
  for (const line of nothing) assert.ok(!isLoss(line, "kybern.1"), line);
});
