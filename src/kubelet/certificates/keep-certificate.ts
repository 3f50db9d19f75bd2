/**
 * Keeps one certificate of the kubelet valid: asks for the first, for the next before it ends, and for another when the
 * names in it are no longer the node's.
 *
 *   none, or another's names ──▶ ask ──▶ issued ──▶ kept until 7 to 9 tenths of its time went ──▶ ask
 *                                 └── refused ──▶ asked again, later and later
 */
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { readCertificate } from "../../base/x509/certificate.ts";
import { derOfPEM } from "../../base/x509/pem.ts";
import { Backoff } from "../../client/backoff.ts";
import type { Client } from "../../client/client.ts";
import { wait } from "../../client/wait.ts";
import { CertificateFile, type KeyedCertificate, renewalAt, validityOf } from "./certificate-file.ts";
import { addressBytes, keyText, makeKey, makeRequest, type RequestedNames } from "./make-request.ts";
import { CLIENT_SIGNER, requestCertificate, SERVING_SIGNER } from "./request-certificate.ts";

export interface KeepOptions {
  /** `client`: what the kubelet shows the API server; `serving`: what its own server shows. */
  purpose: "client" | "serving";
  nodeName: string;
  /** For the serving certificate: the node's names and addresses. */
  names?: () => { dnsNames: readonly string[]; ipAddresses: readonly string[] };
  /** Asks for certificates: with a bootstrap token first, with the certificate itself later. */
  client: () => Client;
  directory: string;
  clock: Clock;
  random: Random;
  /** Told of each certificate from the one on the disk on. */
  renewed: (pair: KeyedCertificate) => void;
  log?: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

export interface KeptCertificate {
  /** Resolves with the first that is valid. */
  readonly first: Promise<KeyedCertificate>;
  /** The node's names or addresses are other ones: where the certificate lacks one, another is asked for. */
  namesChanged(): void;
  stop(): Promise<void>;
}

const FIRST_RETRY = 2_000;
const LONGEST_RETRY = 60_000;
/** So often at least it is seen whether names changed or the clock was set. */
const LOOK = 60 * 60_000;

const PURPOSES = {
  client: { signerName: CLIENT_SIGNER, usages: ["digital signature", "client auth"], file: "kubelet-client" },
  serving: {
    signerName: SERVING_SIGNER,
    usages: ["digital signature", "server auth"],
    file: "kubelet-server",
  },
} as const;

export function keepCertificate(options: KeepOptions): KeptCertificate {
  const keeper = new Keeper(options);
  const kept = keeper.run();
  return {
    first: keeper.first.promise,
    namesChanged: () => keeper.wake(),
    stop: async () => {
      keeper.stopping.abort(new Error("the kubelet stops"));
      keeper.wake();
      await kept;
    },
  };
}

class Keeper {
  readonly first = Promise.withResolvers<KeyedCertificate>();
  readonly stopping = new AbortController();
  private readonly options: KeepOptions;
  private readonly file: CertificateFile;
  private current: KeyedCertificate | undefined;
  private renewAt = 0;
  private awake = new AbortController();

  constructor(options: KeepOptions) {
    this.options = options;
    this.file = new CertificateFile(options.directory, PURPOSES[options.purpose].file);
    // Whoever does not wait for the first need not be told that it never came.
    this.first.promise.catch(() => {});
  }

  wake(): void {
    this.awake.abort();
  }

  async run(): Promise<void> {
    const { clock, random, log, purpose } = this.options;
    const { signal } = this.stopping;
    const stored = await this.file.read();
    if (stored && isValid(stored, clock.now())) this.take(stored);
    const backoff = new Backoff({ first: FIRST_RETRY, longest: LONGEST_RETRY, jitter: 0.1 }, random);
    while (!signal.aborted) {
      this.awake = new AbortController();
      if (!this.isDue()) {
        await wait(clock, Math.min(this.renewAt - clock.now(), LOOK), this.awake.signal);
        continue;
      }
      try {
        const pair = await this.ask();
        await this.file.write(pair, new Date(clock.now()));
        this.take(pair);
        backoff.reset();
      } catch (error) {
        if (signal.aborted) break;
        log?.("warn", `no ${purpose} certificate was given to this node; it is asked again`, {
          error: String(error),
        });
        await wait(clock, backoff.next(), signal);
      }
    }
    this.first.reject(signal.reason);
  }

  private isDue(): boolean {
    return !this.current || this.options.clock.now() >= this.renewAt || !hasNames(this.current, this.names());
  }

  private take(pair: KeyedCertificate): void {
    this.current = pair;
    this.renewAt = renewalAt(validityOf(pair.certificate), this.options.random());
    this.options.renewed(pair);
    this.first.resolve(pair);
  }

  private async ask(): Promise<KeyedCertificate> {
    const { client, clock, random, purpose } = this.options;
    const key = makeKey();
    const { signerName, usages } = PURPOSES[purpose];
    const request = makeRequest(key, this.names());
    const { signal } = this.stopping;
    const certificate = await requestCertificate({
      client: client(),
      clock,
      random,
      signerName,
      request,
      usages,
      signal,
    });
    return { certificate, key: keyText(key) };
  }

  private names(): RequestedNames {
    const { nodeName, names } = this.options;
    return { commonName: `system:node:${nodeName}`, organizations: ["system:nodes"], ...names?.() };
  }
}

function isValid({ certificate }: KeyedCertificate, now: number): boolean {
  try {
    return validityOf(certificate).notAfter > now;
  } catch {
    return false;
  }
}

const COMMON_NAME = "2.5.4.3";

/** Whether the certificate is the node's, and has all of its names. */
function hasNames({ certificate }: KeyedCertificate, wanted: RequestedNames): boolean {
  const { subject, dnsNames, ipAddresses } = readCertificate(derOfPEM("CERTIFICATE", certificate)!);
  const addresses = new Set(ipAddresses.map(String));
  return (
    subject.some(({ type, text }) => type === COMMON_NAME && text === wanted.commonName) &&
    (wanted.dnsNames ?? []).every((name) => dnsNames.includes(name)) &&
    (wanted.ipAddresses ?? []).every((address) => addresses.has(String(addressBytes(address))))
  );
}
