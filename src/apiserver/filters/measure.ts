/** Counts and times every request. */
import type { Filter } from "../handler.ts";
import type { RequestMetrics } from "../metrics/request-metrics.ts";

/** `clock` gives milliseconds with fractions. */
export function measure(metrics: RequestMetrics, clock: () => number): Filter {
  return (request, next) => {
    const started = clock();
    metrics.begin(request);
    if (request.info.verb === "watch") {
      request.initialEventsSent = () => metrics.watchList(request, (clock() - started) / 1000);
    }
    request.exchange.onClose(() => metrics.end(request, (clock() - started) / 1000));
    return next();
  };
}
