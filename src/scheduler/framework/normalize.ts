/** Brings scores into 0…100 by their highest (upstream: plugins/helper/normalize_score.go). */
import { MAX_SCORE } from "./plugin.ts";

/** The highest becomes 100, in whole numbers. `reverse`: the lower the better; 0 becomes 100. */
export function normalizeByHighest(scores: Float64Array, reverse = false): void {
  let highest = 0;
  for (const score of scores) if (score > highest) highest = score;
  if (highest === 0) {
    if (reverse) scores.fill(MAX_SCORE);
    return;
  }
  for (let i = 0; i < scores.length; i++) {
    const share = Math.trunc((MAX_SCORE * scores[i]!) / highest);
    scores[i] = reverse ? MAX_SCORE - share : share;
  }
}
