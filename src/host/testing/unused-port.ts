import { randomInt } from "node:crypto";
import { isPortFree } from "../machine/port-free.ts";

/** Systems give away ports above these, node ports among them; what others ask for by name is below. */
const [FROM, TO] = [20_000, 30_000];
/** To this process; nobody may listen at them yet. */
const given = new Set<number>();

/**
 * For tests that must know a port before anybody listens at it, or leave it for a while: none that the system might
 * give to somebody else meanwhile, as it does with ports that it gave to a test before.
 */
export async function unusedPort(): Promise<number> {
  for (;;) {
    const port = randomInt(FROM, TO);
    if (given.has(port) || !(await isPortFree("tcp", port))) continue;
    given.add(port);
    return port;
  }
}
