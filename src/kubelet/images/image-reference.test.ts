import assert from "node:assert/strict";
import test from "node:test";
import { parseImageReference, repositoryOf, withDefaultTag } from "./image-reference.ts";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

test("withDefaultTag adds latest where there is neither tag nor digest", () => {
  assert.equal(withDefaultTag("busybox"), "busybox:latest");
  assert.equal(withDefaultTag("busybox:1.36"), "busybox:1.36");
  assert.equal(withDefaultTag("localhost:5000/a/b"), "localhost:5000/a/b:latest");
  assert.equal(withDefaultTag(`busybox@${DIGEST}`), `busybox@${DIGEST}`);
});

test("repositoryOf names Docker Hub where no registry is named", () => {
  for (const [image, repository] of [
    ["busybox:1", "docker.io/library/busybox"],
    ["docker.io/busybox", "docker.io/library/busybox"],
    ["index.docker.io/library/busybox", "docker.io/library/busybox"],
    ["kybern/web", "docker.io/kybern/web"],
    ["localhost/web:1", "localhost/web"],
    [`10.0.0.1:5000/a__b/c-d.e:1@${DIGEST}`, "10.0.0.1:5000/a__b/c-d.e"],
    ["[fd00::1]:5000/web", "[fd00::1]:5000/web"],
  ]) {
    assert.equal(repositoryOf(image!), repository);
  }
});

test("parseImageReference takes a name apart", () => {
  assert.deepEqual(parseImageReference(`quay.io/a/b:v1@${DIGEST}`), {
    domain: "quay.io",
    path: "a/b",
    tag: "v1",
    digest: DIGEST,
  });
});

test("withDefaultTag says what is wrong with a name in upstream's words", () => {
  const wrong = new Map([
    ["BUSYBOX", "invalid reference format: repository name (library/BUSYBOX) must be lowercase"],
    ["busybox:a:b", "invalid reference format"],
    ["", "invalid reference format"],
    ["a//b", "invalid reference format"],
    ["busybox:-x", "invalid reference format"],
    ["busybox@sha256:12", "invalid reference format"],
    ["a/../b", "invalid reference format"],
    ["x".repeat(300), "repository name must not be more than 255 characters"],
  ]);
  for (const [image, why] of wrong) {
    assert.throws(() => withDefaultTag(image), {
      message: `couldn't parse image name ${JSON.stringify(image)}: ${why}`,
    });
  }
});

test("parseImageReference is quick with names that are made to be slow", () => {
  const before = process.cpuUsage();
  for (const part of ["a-", "a_", "a.", "a__"]) {
    assert.throws(() => parseImageReference(`${part.repeat(50_000)}!`));
  }
  // Microseconds of processor time; to try every way would take minutes.
  assert.ok(process.cpuUsage(before).user < 1_000_000);
});
