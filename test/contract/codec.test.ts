/** Every filled object of the reference data, through JSON and protobuf and back, byte for byte. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { definitionIds, findDefinition, schemas } from "../../src/api/schema/schemas.ts";
import { encodeProtobufObject } from "../../src/machinery/protobuf/protobuf.ts";
import { decodeObject } from "../../src/machinery/schema/codec.ts";

const DATA = new URL("../../../shared/reference/api-testdata/", import.meta.url);
const skip = existsSync(DATA) ? false : "the reference data is not beside the checkout";

function idsByKind(): Map<string, string> {
  const ids = new Map<string, string>();
  for (const id of definitionIds()) {
    for (const { group, version, kind } of findDefinition(id)?.kinds ?? []) {
      ids.set(`${group === "" ? version : `${group}/${version}`} ${kind}`, id);
    }
  }
  return ids;
}

test("every kind goes through JSON and protobuf unchanged", { skip }, () => {
  const ids = idsByKind();
  // A WatchEvent is not an object: it is framed, and has no apiVersion and kind.
  const names = readdirSync(DATA).filter(
    (name) => name.endsWith(".json") && !name.endsWith(".WatchEvent.json"),
  );
  assert.ok(names.length > 0);
  for (const name of names) {
    const json = readFileSync(new URL(name, DATA));
    const { apiVersion, kind } = JSON.parse(json.toString()) as { apiVersion: string; kind: string };
    const id = ids.get(`${apiVersion} ${kind}`);
    assert.ok(id, `a definition for ${name}`);
    const fromJSON = decodeObject(schemas, id, json, "json", { strict: true });
    assert.deepEqual(fromJSON.strictErrors, [], name);
    const protobuf = readFileSync(new URL(name.replace(/json$/, "pb"), DATA));
    const written = encodeProtobufObject(schemas, id, fromJSON.object);
    assert.ok(protobuf.equals(written), `protobuf of ${name}`);
    const fromProtobuf = decodeObject(schemas, id, protobuf, "protobuf", { strict: true });
    assert.equal(JSON.stringify(fromProtobuf.object), JSON.stringify(fromJSON.object), name);
  }
});
