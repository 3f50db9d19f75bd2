/**
 * Requests as a service account, by tokens that the account's keeper asks for (TokenRequest), as the controllers of
 * kube-controller-manager act. The account is made where it is missing; a token is renewed before it ends, and once
 * more where the server does not take it (the account was deleted and made again).
 */
import { ServiceAccount } from "../api/core/service-account.ts";
import type { TokenRequest } from "../api/core/token-request.ts";
import type { Clock } from "../base/clock.ts";
import type { Client } from "./client.ts";
import { isReason } from "./status.ts";
import type { Transport, TransportRequest, TransportResponse, TransportStream } from "./transport.ts";

export interface ServiceAccountOptions {
  /** May create service accounts and their tokens. */
  keeper: Client;
  namespace: string;
  name: string;
  clock: Clock;
  /** Carries the requests, with no credentials of its own. */
  transport: Transport;
}

const SECONDS = 3600;
/** Of a token's life, what may pass before another is asked for. */
const RENEW_AT = 0.8;

export function serviceAccountTransport(options: ServiceAccountOptions): Transport {
  const { transport, clock } = options;
  let token: Promise<string> | undefined;
  let renewAt = 0;
  const current = (): Promise<string> => {
    if (token && clock.now() < renewAt) return token;
    renewAt = clock.now() + SECONDS * 1000 * RENEW_AT;
    const asked = askToken(options);
    token = asked;
    asked.catch(() => {
      if (token === asked) token = undefined;
    });
    return asked;
  };
  async function authorized<A extends { status: number }>(
    request: TransportRequest,
    send: (request: TransportRequest) => Promise<A>,
    discard: (answer: A) => void,
  ): Promise<A> {
    const first = current();
    const answer = await send(withToken(request, await first));
    if (answer.status !== 401) return answer;
    discard(answer);
    if (token === first) token = undefined;
    return send(withToken(request, await current()));
  }
  return {
    lasting: transport.lasting,
    request: (request) =>
      authorized<TransportResponse>(
        request,
        (r) => transport.request(r),
        () => {},
      ),
    stream: (request) =>
      authorized<TransportStream>(
        request,
        (r) => transport.stream(r),
        (answer) => answer.close(),
      ),
    close: async () => {},
  };
}

function withToken(request: TransportRequest, token: string): TransportRequest {
  return { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
}

async function askToken({ keeper, namespace, name }: ServiceAccountOptions): Promise<string> {
  const accounts = keeper.resource(ServiceAccount, namespace);
  const ask = async (): Promise<string> => {
    const body = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: SECONDS },
    };
    const { status } = await accounts.createSubresource<TokenRequest>(name, "token", body);
    return status!.token;
  };
  try {
    return await ask();
  } catch (error) {
    if (!isReason(error, "NotFound")) throw error;
  }
  await accounts.create({ metadata: { name, namespace } }).catch((error) => {
    if (!isReason(error, "AlreadyExists")) throw error;
  });
  return ask();
}
