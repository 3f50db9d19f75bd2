/**
 * The way of a request: filters in the order of one list, then the endpoint.
 *
 *   exchange → ApiRequest → filters[0] → … → filters[n] → endpoint → answer
 *
 * A filter that throws, or whose promise rejects, ends the request with the Status of its error; nothing a client sends
 * ends the process.
 */

import { badRequest, StatusError } from "../machinery/status/status-error.ts";
import { ApiRequest, queryOf } from "./endpoints/api-request.ts";
import { requestInfo } from "./endpoints/request-info.ts";
import type { RouteTable } from "./endpoints/route-table.ts";
import { ClientGone, type Exchange } from "./http/exchange.ts";

/** Calls `next` to go on, or answers. Returns a promise only where it has to wait. */
export type Filter = (request: ApiRequest, next: () => void | Promise<void>) => void | Promise<void>;

export interface HandlerOptions {
  routes: RouteTable;
  filters: readonly Filter[];
  endpoint: (request: ApiRequest) => void | Promise<void>;
  newId: () => string;
  /** Told of what is not a StatusError: a bug of ours. */
  bug: (error: unknown, request: ApiRequest) => void;
}

const TOO_DEEP = "the request is nested too deeply, or names too much at once";

/** What a client sends decides how deep the server must go: where the stack ends, the request is refused. */
function isOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message === "Maximum call stack size exceeded";
}

export type Handler = (exchange: Exchange) => void;

export function createHandler({ routes, filters, endpoint, newId, bug }: HandlerOptions): Handler {
  const run = (request: ApiRequest, at: number): void | Promise<void> =>
    at === filters.length ? endpoint(request) : filters[at]!(request, () => run(request, at + 1));
  const failed = (request: ApiRequest, error: unknown): void => {
    // Nobody is there to be answered, and nothing is wrong with the server.
    if (error instanceof ClientGone) return;
    const refusal = isOverflow(error) ? badRequest(TOO_DEEP) : error;
    if (!(refusal instanceof StatusError)) bug(error, request);
    try {
      request.fail(refusal);
    } catch (unsaid) {
      bug(unsaid, request);
    }
  };
  return (exchange) => {
    const query = queryOf(exchange.query);
    const info = requestInfo(exchange.method, exchange.path, query, routes);
    const request = new ApiRequest(exchange, query, info, newId());
    try {
      const waited = run(request, 0);
      if (waited) waited.catch((error: unknown) => failed(request, error));
    } catch (error) {
      failed(request, error);
    }
  };
}
