/** Asks the cluster for a certificate and waits for the answer, which may be given by people. */
import { CertificateSigningRequest } from "../../api/certificates/certificate-signing-request.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import type { Client } from "../../client/client.ts";
import { Informer } from "../../client/informer/informer.ts";

export const CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client-kubelet";
export const SERVING_SIGNER = "kubernetes.io/kubelet-serving";

export interface CertificateAsked {
  client: Client;
  clock: Clock;
  random: Random;
  signerName: string;
  /** PEM. */
  request: string;
  usages: readonly string[];
  /** Milliseconds to wait for the answer; upstream's 15 minutes. */
  patience?: number;
  signal: AbortSignal;
}

/** The request was denied, its signing failed, or nobody answered in time. */
export class CertificateRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = "CertificateRefused";
  }
}

const PATIENCE = 15 * 60_000;

/** The certificate chain as PEM. Throws CertificateRefused, or what the server said to the request itself. */
export async function requestCertificate(asked: CertificateAsked): Promise<string> {
  const { client, clock, random, signerName, request, usages, signal, patience = PATIENCE } = asked;
  const requests = client.resource(CertificateSigningRequest);
  const made = await requests.create(
    {
      metadata: { generateName: "csr-" },
      spec: { signerName, request: Buffer.from(request).toString("base64"), usages: [...usages] },
    },
    { signal },
  );
  const name = made.metadata.name ?? "";
  const informer = new Informer<CertificateSigningRequest>({
    client: requests,
    select: { fieldSelector: `metadata.name=${name}` },
    clock,
    random,
  });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let seen = false;
  informer.subscribe(({ now }) => {
    if (!now) {
      if (seen) reject(new CertificateRefused(`certificate signing request ${name} was deleted`));
      return;
    }
    seen = true;
    const refused = refusal(now);
    if (refused !== undefined)
      reject(new CertificateRefused(`certificate signing request ${name} ${refused}`));
    else if (now.status?.certificate) resolve(Buffer.from(now.status.certificate, "base64").toString());
  });
  informer.start();
  const late = clock.setTimer(patience, () =>
    reject(new CertificateRefused(`certificate signing request ${name} was not answered in time`)),
  );
  const stop = (): void => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await promise;
  } finally {
    late();
    signal.removeEventListener("abort", stop);
    await informer.stop();
  }
}

function refusal({ status }: CertificateSigningRequest): string | undefined {
  for (const { type, reason = "", message = "" } of status?.conditions ?? []) {
    const why = `reason: ${reason || "unknown"}, message: ${message}`;
    if (type === "Denied") return `is denied, ${why}`;
    if (type === "Failed") return `failed, ${why}`;
  }
  return undefined;
}
