/**
 * Which fields of a struct a value brings, worked out once for every order of keys that is seen. Clients send the same
 * few orders over and over, so a struct is decoded by walking its keys through a tree of plans (one comparison each)
 * and then following the last plan's steps, which are in the order of the schema.
 */
import type { Decode } from "./scalars.ts";

export interface Step {
  key: string;
  order: number;
  decode: Decode;
  /** Whether the value is a leaf that is just a string. */
  string: boolean;
  /** Whether what is below has places of its own, and so needs the path. */
  deep: boolean;
}

/** Plans remembered per struct; further orders of keys work but are planned anew each time. */
const MAX_PLANS = 500;

export class Plan {
  readonly parent: Plan | undefined;
  readonly key: string;
  /** How many keys the value has when its last key ends here. */
  readonly count: number;
  private lastKey: string | undefined;
  private lastPlan: Plan | undefined;
  private readonly more: Map<string, Plan> = new Map();
  private made: readonly Step[] | undefined;
  private missing: readonly string[] = [];
  private readonly known: ReadonlyMap<string, Step>;
  private readonly budget: { left: number };

  constructor(
    known: ReadonlyMap<string, Step>,
    parent?: Plan,
    key = "",
    budget: { left: number } = { left: MAX_PLANS },
  ) {
    this.known = known;
    this.parent = parent;
    this.key = key;
    this.count = parent ? parent.count + 1 : 0;
    this.budget = budget;
  }

  /** The plan for the keys so far and `key`. */
  next(key: string): Plan {
    if (this.lastKey === key && this.lastPlan) return this.lastPlan;
    const found = this.more.get(key);
    if (found) {
      this.lastKey = key;
      this.lastPlan = found;
      return found;
    }
    const plan = new Plan(this.known, this, key, this.budget);
    // Unknown keys are the client's own: they must not fill the memory.
    if (this.budget.left > 0 && this.known.has(key)) {
      this.budget.left--;
      this.more.set(key, plan);
    }
    return plan;
  }

  steps(): readonly Step[] {
    if (!this.made) this.make();
    return this.made!;
  }

  /** The keys that no field has, in the order of the value. */
  unknown(): readonly string[] {
    if (!this.made) this.make();
    return this.missing;
  }

  private make(): void {
    const steps: Step[] = [];
    const missing: string[] = [];
    for (let plan: Plan = this; plan.parent; plan = plan.parent) {
      const step = this.known.get(plan.key);
      if (step) steps.push(step);
      else missing.push(plan.key);
    }
    this.made = steps.sort((a, b) => a.order - b.order);
    // They were met from the last to the first; a client may send very many.
    this.missing = missing.reverse();
  }
}
