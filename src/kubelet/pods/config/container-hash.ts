import type { Container } from "../../../api/schema/core.v1.generated.ts";

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** Of what a container cannot change while it runs: a container whose hash differs from its spec's is restarted. */
export function containerHash({ name, image }: Pick<Container, "name" | "image">): string {
  let hash = OFFSET;
  for (const byte of Buffer.from(JSON.stringify({ name, image }))) hash = Math.imul(hash ^ byte, PRIME);
  return (hash >>> 0).toString(16);
}
