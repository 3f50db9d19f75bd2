import { createPrivateKey, X509Certificate } from "node:crypto";
import { watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";

export interface WatchedFile {
  certificate: string;
  /** Absent for a bundle of authorities. */
  key?: string;
}

export interface WatchedPEM {
  certificate: string;
  key?: string;
}

export interface CertificateWatch {
  close(): void;
}

/**
 * Tells of new certificates while the server runs, so that its TLS context can be swapped. Folders are watched, not
 * files, because certificates are renewed by renaming or, in mounted volumes, by moving a symbolic link. A pair is told
 * once both halves are there and match; a half-written one waits for the event that completes it. `current` is what
 * the server already uses. `failed` is told why new content cannot be used, without its content.
 */
export function watchCertificates<Name extends string>(
  files: Readonly<Record<Name, WatchedFile>>,
  current: Readonly<Record<Name, WatchedPEM>>,
  onChange: (name: Name, pem: WatchedPEM) => void,
  failed: (error: Error) => void = () => {},
): CertificateWatch {
  const known = new Map(Object.entries(current) as [Name, WatchedPEM][]);
  const names = Object.keys(files) as Name[];
  let closed = false;
  let reading = false;
  let again = false;

  async function check(): Promise<void> {
    again = true;
    if (reading) return;
    reading = true;
    while (again && !closed) {
      again = false;
      for (const name of names) await checkOne(name);
    }
    reading = false;
  }

  async function checkOne(name: Name): Promise<void> {
    try {
      const read = await readPEM(files[name]);
      const before = known.get(name);
      if (closed || (before?.certificate === read.certificate && before.key === read.key)) return;
      requireUsable(read, files[name].certificate);
      known.set(name, read);
      onChange(name, read);
    } catch (error) {
      if (!closed) failed(error as Error);
    }
  }

  const folders = new Set(
    names.flatMap((name) => {
      const { certificate, key } = files[name];
      return key === undefined ? [dirname(certificate)] : [dirname(certificate), dirname(key)];
    }),
  );
  const watchers = [...folders].map((folder) => {
    const watcher = watch(folder, { persistent: false }, () => void check());
    watcher.on("error", failed);
    return watcher;
  });
  void check();
  return {
    close() {
      closed = true;
      for (const watcher of watchers) watcher.close();
    },
  };
}

async function readPEM({ certificate, key }: WatchedFile): Promise<WatchedPEM> {
  if (key === undefined) return { certificate: await readFile(certificate, "utf8") };
  const [certificatePEM, keyPEM] = await Promise.all([readFile(certificate, "utf8"), readFile(key, "utf8")]);
  return { certificate: certificatePEM, key: keyPEM };
}

function requireUsable({ certificate, key }: WatchedPEM, path: string): void {
  let parsed: X509Certificate;
  let matches = true;
  try {
    parsed = new X509Certificate(certificate);
    if (key !== undefined) matches = parsed.checkPrivateKey(createPrivateKey(key));
  } catch {
    throw new Error(`${path} or its key is not valid PEM`);
  }
  if (!matches) throw new Error(`${path} and its key do not match`);
}
