/**
 * Does many things of one sort in growing batches (1, 2, 4 …), and stops with the first batch in which one fails: where
 * a quota is full or a webhook refuses, the server is not asked a thousand times. Returns how many were done; throws the
 * first failure only where `failed` is not given.
 */
export async function slowStart(
  count: number,
  act: (index: number) => Promise<unknown>,
  failed?: (error: unknown) => void,
): Promise<number> {
  let done = 0;
  for (let next = 0, batch = 1; next < count; batch *= 2) {
    const until = Math.min(next + batch, count);
    const started: Promise<unknown>[] = [];
    for (; next < until; next++) started.push(act(next));
    const results = await Promise.allSettled(started);
    const refused = results.find(({ status }) => status === "rejected");
    done += results.filter(({ status }) => status === "fulfilled").length;
    if (!refused) continue;
    const { reason } = refused as PromiseRejectedResult;
    if (!failed) throw reason;
    failed(reason);
    return done;
  }
  return done;
}
