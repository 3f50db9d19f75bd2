import type { Transport, TransportRequest } from "../transport.ts";

/** An administrator's transport by which somebody else acts: for tests of what they may do. */
export function asUser(transport: Transport, user: string, group: string): Transport {
  const impersonating = (request: TransportRequest): TransportRequest => ({
    ...request,
    headers: { ...request.headers, "impersonate-user": user, "impersonate-group": group },
  });
  return {
    lasting: transport.lasting,
    request: (request) => transport.request(impersonating(request)),
    stream: (request) => transport.stream(impersonating(request)),
    close: async () => {},
  };
}
