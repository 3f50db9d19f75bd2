import { StatusError } from "../../machinery/status/status-error.ts";

/** What upstream's router says of a path that it knows under other methods. */
export function noSuchMethod(): StatusError {
  return new StatusError(
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
    {},
  );
}
