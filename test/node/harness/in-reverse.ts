/** What a test does at its end, in the order in which it has to be: node:test begins with what was asked for first. */
import type { TestContext } from "node:test";

/** Of what it is asked for, the last comes first, and all of it comes, whatever fails. */
export function inReverse(t: Pick<TestContext, "after">): Pick<TestContext, "after"> {
  const ends: (() => unknown)[] = [];
  t.after(async () => {
    const failures: unknown[] = [];
    for (const end of ends.reverse()) {
      try {
        await end();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
  });
  return {
    after: (end) => {
      if (end) ends.push(end as () => unknown);
    },
  };
}
