/** Answers that were asked for once and hold for a while. Asked again meanwhile, they are waited for together. */
import type { Clock } from "../../base/clock.ts";
import { RecentlyUsed } from "../../client/events/recently-used.ts";

/** Whoever tries many credentials must not fill the memory with them. */
const MOST = 4096;

export class KeptAnswers<T> {
  private readonly clock: Clock;
  private readonly answers = new RecentlyUsed<{ answer: Promise<T>; until: number }>(MOST);

  constructor(clock: Clock) {
    this.clock = clock;
  }

  /** `keep`: for how many milliseconds an answer holds. What failed is not kept. */
  get(key: string, ask: () => Promise<T>, keep: (answer: T) => number): Promise<T> {
    const known = this.answers.get(key);
    if (known && this.clock.elapsed() < known.until) return known.answer;
    const answer = ask();
    const entry = { answer, until: Number.POSITIVE_INFINITY };
    this.answers.set(key, entry);
    answer.then(
      (made) => {
        entry.until = this.clock.elapsed() + keep(made);
      },
      () => {
        entry.until = Number.NEGATIVE_INFINITY;
      },
    );
    return answer;
  }
}
