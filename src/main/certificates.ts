/** The server's certificates while it runs: renewed before they end, and swapped when their files change. */
import { join } from "node:path";
import type { ServingCertificates } from "../apiserver/http/server.ts";
import type { Clock } from "../base/clock.ts";
import { ensurePKI, type PKI, type PKIRequest } from "../cluster/pki/ensure-pki.ts";
import { watchCertificates } from "../cluster/pki/watch-certificates.ts";

/** What uses certificates and can take others. */
export interface CertificateUsers {
  serve(certificates: ServingCertificates): void;
  trust(bundles: { clientCA: string; frontProxyCA: string }): void;
  /** Told daily of all keys and certificates, those of the components in this process too. */
  renewed(pki: PKI): void;
  failed(error: Error): void;
}

/** How often it is looked whether one nears its end; renewal begins months before. */
const LOOK = 24 * 3_600_000;

export function servingCertificates({ apiserver, ca, frontProxyCA }: PKI): ServingCertificates {
  return {
    cert: apiserver.certificate,
    key: apiserver.key,
    clientCA: [ca.certificate, frontProxyCA.certificate],
  };
}

export function keepCertificates(
  pki: PKI,
  request: Omit<PKIRequest, "now">,
  clock: Clock,
  users: CertificateUsers,
): { close(): void } {
  const current = {
    ca: { certificate: pki.ca.certificate },
    frontProxyCA: { certificate: pki.frontProxyCA.certificate },
    apiserver: { certificate: pki.apiserver.certificate, key: pki.apiserver.key as string | undefined },
  };
  const files = {
    ca: { certificate: pki.ca.certificatePath },
    frontProxyCA: { certificate: pki.frontProxyCA.certificatePath },
    apiserver: { certificate: pki.apiserver.certificatePath, key: pki.apiserver.keyPath },
  };
  const watch = watchCertificates(
    files,
    current,
    (name, pem) => {
      Object.assign(current, { [name]: pem });
      const { apiserver, ca, frontProxyCA } = current;
      const clientCA = [ca.certificate, frontProxyCA.certificate];
      users.serve({ cert: apiserver.certificate, key: apiserver.key ?? pki.apiserver.key, clientCA });
      users.trust({ clientCA: ca.certificate, frontProxyCA: frontProxyCA.certificate });
    },
    users.failed,
  );
  let cancel = (): void => {};
  const look = (): void => {
    cancel = clock.setTimer(LOOK, () => {
      // What is made anew is written to the files, and so comes back through the watch above.
      ensurePKI({ ...request, now: new Date(clock.now()) })
        .then(users.renewed)
        .catch(users.failed);
      look();
    });
  };
  look();
  return {
    close() {
      cancel();
      watch.close();
    },
  };
}

export function pkiDirectory(dataDir: string): string {
  return join(dataDir, "pki");
}
