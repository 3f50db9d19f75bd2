import assert from "node:assert/strict";
import { test } from "node:test";
import { ADMISSION, chosenAdmission } from "./index.ts";

const names = (choice: { enable: string[]; disable: string[] }): string[] =>
  chosenAdmission(choice).map(({ name }) => name);

test("chosenAdmission runs the default plugins where nothing is asked for", () => {
  assert.deepEqual(
    names({ enable: [], disable: [] }),
    ADMISSION.map(({ name }) => name),
  );
});

test("chosenAdmission puts an optional plugin in its place and leaves out what is disabled", () => {
  const chosen = names({
    enable: ["OwnerReferencesPermissionEnforcement"],
    disable: ["DenyServiceExternalIPs"],
  });
  assert.equal(chosen.includes("DenyServiceExternalIPs"), false);
  const at = chosen.indexOf("OwnerReferencesPermissionEnforcement");
  assert.equal(chosen[at + 1], "PersistentVolumeClaimResize");
  assert.equal(chosen.length, ADMISSION.length);
});
