import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { Message } from "../../../host/grpc/messages.ts";
import * as containers from "./containers.ts";
import * as images from "./images.ts";
import * as runtime from "./runtime.ts";
import * as sandboxes from "./sandboxes.ts";
import * as shared from "./shared.ts";
import * as stats from "./stats.ts";

const REFERENCE = new URL("../../../../../shared/reference/cri-field-numbers.json", import.meta.url);
const skip = existsSync(REFERENCE) ? false : "the reference data is not beside the checkout";

type Numbers = Record<string, [number: number, label: string, type: string]>;
type Upstream = Record<string, Numbers | { __enum: Record<string, number> }>;

test("messages of the CRI have upstream's fields and numbers", { skip }, () => {
  const upstream = (JSON.parse(readFileSync(REFERENCE, "utf8")) as { "runtime.v1": Upstream })["runtime.v1"];
  let compared = 0;
  for (const [name, own] of Object.entries({
    ...shared,
    ...sandboxes,
    ...containers,
    ...images,
    ...stats,
    ...runtime,
  })) {
    const known = upstream[name] ?? Object.entries(upstream).find(([id]) => id.endsWith(`.${name}`))?.[1];
    assert.ok(known, name);
    compared++;
    if ("__enum" in known) {
      assert.deepEqual({ ...own }, known.__enum, name);
      continue;
    }
    const numbers = new Map(
      Object.entries(known as Numbers)
        .filter(([, [, , type]]) => !type.startsWith("Windows"))
        .map(([field, [number]]) => [
          field.replace(/_+([a-z0-9])/gi, (_, c: string) => c.toUpperCase()),
          number,
        ]),
    );
    const mine = Object.entries((own as Message).fields).map(
      ([field, { number }]) => [field, number] as const,
    );
    assert.deepEqual(new Map(mine), numbers, name);
  }
  assert.ok(compared > 100, `only ${compared} compared`);
});
