/** What the name of an image says: `docker.io/library/busybox:latest` of `busybox`. */

/** The name is none; the message is what upstream's says of it. */
export class ImageReferenceError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ImageReferenceError";
  }
}

export interface ImageReference {
  /** `docker.io` where the name tells none. */
  domain: string;
  /** With `library/` where Docker Hub's own images are named. */
  path: string;
  tag?: string;
  digest?: string;
}

const LONGEST_NAME = 255;
const DEFAULT_DOMAIN = "docker.io";
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
const DOMAIN = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
const PART = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const HEX = /^[0-9a-f]{64}$/;
const INVALID = "invalid reference format";

/** Throws ImageReferenceError. */
export function parseImageReference(image: string): ImageReference {
  if (HEX.test(image)) {
    throw new ImageReferenceError(
      `invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`,
    );
  }
  const [named = "", digest] = splitOnce(image, "@");
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/") && colon >= 0;
  const name = hasTag ? named.slice(0, colon) : named;
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  const { domain, path } = splitDomain(name);
  if (path !== path.toLowerCase()) {
    throw new ImageReferenceError(`${INVALID}: repository name (${path}) must be lowercase`);
  }
  const isRight =
    DOMAIN.test(domain) &&
    path.split("/").every((part) => PART.test(part)) &&
    (tag === undefined || TAG.test(tag)) &&
    (digest === undefined || DIGEST.test(digest));
  if (!isRight) throw new ImageReferenceError(INVALID);
  if (domain.length + path.length + 1 > LONGEST_NAME) {
    throw new ImageReferenceError("repository name must not be more than 255 characters");
  }
  return { domain, path, tag, digest };
}

/** As it was given, with `:latest` where it has neither tag nor digest. Throws ImageReferenceError. */
export function withDefaultTag(image: string): string {
  try {
    const { tag, digest } = parseImageReference(image);
    return tag === undefined && digest === undefined ? `${image}:latest` : image;
  } catch (error) {
    const why = (error as Error).message;
    throw new ImageReferenceError(`couldn't parse image name ${JSON.stringify(image)}: ${why}`);
  }
}

/** Where the image is, without which one: `docker.io/library/busybox`. Throws ImageReferenceError. */
export function repositoryOf(image: string): string {
  const { domain, path } = parseImageReference(image);
  return `${domain}/${path}`;
}

function splitDomain(name: string): { domain: string; path: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isDomain = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const domain = isDomain ? first : DEFAULT_DOMAIN;
  const path = isDomain ? name.slice(slash + 1) : name;
  if (domain !== DEFAULT_DOMAIN && domain !== "index.docker.io") return { domain, path };
  return { domain: DEFAULT_DOMAIN, path: path.includes("/") ? path : `library/${path}` };
}

function splitOnce(text: string, at: string): [string, string?] {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}
