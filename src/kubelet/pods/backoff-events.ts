/** Tells once for each wait that a container waits before it is restarted. */
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { PodContext } from "./pod-context.ts";
import { recordOfContainer } from "./pod-events.ts";
import { podText } from "./pod-name.ts";
import type { PodPlan } from "./pod-plan.ts";

export class BackoffEvents {
  readonly #waiting = new Set<string>();

  tell(context: PodContext, pod: Pod, { waiting }: PodPlan): void {
    for (const name of this.#waiting) if (!waiting.has(name)) this.#waiting.delete(name);
    for (const name of waiting.keys()) {
      if (this.#waiting.has(name)) continue;
      this.#waiting.add(name);
      const message = `Back-off restarting failed container ${name} in pod ${podText(pod)}`;
      recordOfContainer(context, pod, { name }, "Warning", "BackOff", message);
    }
  }
}
