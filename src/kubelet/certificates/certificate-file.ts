/**
 * A kubelet's certificate and its key on the disk: dated files, and a link to the newest, as upstream keeps them:
 *
 *   pki/kubelet-client-2026-11-21-10-00-00.pem
 *   pki/kubelet-client-current.pem            → the file above
 */
import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readCertificate } from "../../base/x509/certificate.ts";
import { derOfPEM } from "../../base/x509/pem.ts";

/** PEM texts. */
export interface KeyedCertificate {
  certificate: string;
  key: string;
}

/** Older files are removed but for so many. */
const KEPT = 2;

export class CertificateFile {
  private readonly directory: string;
  private readonly name: string;

  /** `name`: `kubelet-client` or `kubelet-server`. */
  constructor(directory: string, name: string) {
    this.directory = directory;
    this.name = name;
  }

  get path(): string {
    return join(this.directory, `${this.name}-current.pem`);
  }

  /** Undefined where there is none that can be read. */
  async read(): Promise<KeyedCertificate | undefined> {
    const text = await readFile(this.path, "utf8").catch(() => undefined);
    return text === undefined ? undefined : split(text);
  }

  async write({ certificate, key }: KeyedCertificate, now: Date): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const date = now.toISOString().slice(0, 19).replaceAll(/[T:]/g, "-");
    const file = `${this.name}-${date}.pem`;
    await writeFile(join(this.directory, file), `${certificate.trimEnd()}\n${key.trimEnd()}\n`, {
      mode: 0o600,
    });
    const fresh = `${this.path}.new`;
    await rm(fresh, { force: true });
    await symlink(file, fresh);
    // Who reads meanwhile finds the old link or the new one.
    await rename(fresh, this.path);
    await this.removeOld();
  }

  private async removeOld(): Promise<void> {
    const dated = (await readdir(this.directory))
      .filter((file) => file.startsWith(`${this.name}-2`) && file.endsWith(".pem"))
      .sort();
    for (const file of dated.slice(0, -KEPT)) await rm(join(this.directory, file), { force: true });
  }
}

function split(text: string): KeyedCertificate | undefined {
  const key =
    /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----[\s\S]*?-----END (?:EC |RSA )?PRIVATE KEY-----\n?/.exec(text);
  const chain = text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----\n?/g);
  return key && chain ? { certificate: chain.join(""), key: key[0] } : undefined;
}

export interface Validity {
  notBefore: number;
  notAfter: number;
}

/** Milliseconds since 1970. Throws where the text is no certificate. */
export function validityOf(certificate: string): Validity {
  const der = derOfPEM("CERTIFICATE", certificate);
  if (!der) throw new Error("not a certificate");
  const { notBefore, notAfter } = readCertificate(der);
  return { notBefore: notBefore.getTime(), notAfter: notAfter.getTime() };
}

/** When to ask for the next: after 7 to 9 tenths of its time, not all nodes at once. */
export function renewalAt({ notBefore, notAfter }: Validity, random: number): number {
  return notBefore + (notAfter - notBefore) * (0.7 + 0.2 * random);
}
