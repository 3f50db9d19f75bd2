/** Rewrites what a page behind the proxy points to, so that it stays below the proxy's path. */
import type { IncomingHttpHeaders } from "node:http";
import { pipeline, type Readable, Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";

export interface ProxyPlace {
  /** The path up to and with `/proxy`. */
  root: string;
  /** The authority of what is behind the proxy. */
  backend: string;
  /** The authority that the client asked. */
  asked: string;
}

/** A path from the root of what is behind the proxy gets the proxy's in front; what leads to other hosts is left alone. */
export function rewriteURL(text: string, { root, backend, asked }: ProxyPlace): string {
  const [, scheme = "", host = "", rest = ""] =
    /^([a-z][a-z0-9+.-]*:)?(?:\/\/([^/?#]*))?(.*)$/is.exec(text) ?? [];
  if (host !== "" && host !== backend && host !== asked) return text;
  // Such as mailto: and data:.
  if (host === "" && scheme !== "") return text;
  const path = host !== "" && !rest.startsWith("/") ? `/${rest}` : rest;
  if (!path.startsWith("/")) return text;
  if (path === root || path.startsWith(`${root}/`)) return path;
  return `${root}${path}`;
}

/** The attributes of HTML whose values are URLs. */
const ATTRIBUTES = new Set([
  ...["action", "background", "cite", "classid", "codebase", "data", "formaction", "href", "icon"],
  ...["longdesc", "manifest", "poster", "profile", "src", "usemap"],
]);

const ATTRIBUTE = /([^\s"'<>/=]+)(\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'<>=`]+))/g;
/** A tag of more bytes than this is left as it is. */
const LONGEST_TAG = 64 * 1024;

/** The text of a start tag, with its links rewritten. */
function rewriteTag(tag: string, place: ProxyPlace): string {
  const end = /^<[A-Za-z][^\s/>]*/.exec(tag)?.[0].length ?? tag.length;
  const attributes = tag
    .slice(end)
    .replace(ATTRIBUTE, (whole, name: string, equals: string, double, single, bare) => {
      if (!ATTRIBUTES.has(name.toLowerCase())) return whole;
      const quote = single === undefined ? '"' : "'";
      return `${name}${equals}${quote}${rewriteURL(double ?? single ?? bare ?? "", place)}${quote}`;
    });
  return tag.slice(0, end) + attributes;
}

const RAW = /^<(script|style|textarea|title)[\s/>]/i;

/**
 * Finds the start tags of a page as it comes and rewrites them. Comments and the text of scripts and styles are no tags.
 * Bytes are read as latin1, so that any encoding which keeps ASCII stays as it was.
 */
export class LinkRewriter {
  private readonly place: ProxyPlace;
  private rest = "";
  /** What ends the text that is passed over now; "" where tags are looked for. */
  private until = "";

  constructor(place: ProxyPlace) {
    this.place = place;
  }

  take(chunk: Buffer): Buffer {
    return Buffer.from(this.go(this.rest + chunk.toString("latin1"), false), "latin1");
  }

  finish(): Buffer {
    return Buffer.from(this.go(this.rest, true), "latin1");
  }

  private go(text: string, last: boolean): string {
    let out = "";
    let at = 0;
    this.rest = "";
    while (at < text.length) {
      const from = this.until === "" ? this.tag(text, at) : this.pass(text, at);
      if (from === undefined) break;
      out += from.text;
      at = from.next;
    }
    const left = text.slice(at);
    if (!last && left.length <= LONGEST_TAG) {
      this.rest = left;
      return out;
    }
    return out + left;
  }

  /** Up to and with the end of what is passed over; undefined where it has not come. */
  private pass(text: string, at: number): { text: string; next: number } | undefined {
    const found = text.toLowerCase().indexOf(this.until, at);
    if (found < 0) {
      // Its end may be cut in two.
      const safe = text.length - this.until.length;
      return safe > at ? { text: text.slice(at, safe), next: safe } : undefined;
    }
    const next = found + this.until.length;
    this.until = "";
    return { text: text.slice(at, next), next };
  }

  private tag(text: string, at: number): { text: string; next: number } | undefined {
    const open = text.indexOf("<", at);
    if (open < 0) return { text: text.slice(at), next: text.length };
    if (open > at) return { text: text.slice(at, open), next: open };
    if (text.length < open + 4) return undefined;
    if (text.startsWith("<!--", open)) {
      this.until = "-->";
      return { text: "<!--", next: open + 4 };
    }
    if (!/[A-Za-z]/.test(text[open + 1]!)) return { text: "<", next: open + 1 };
    const end = tagEnd(text, open);
    if (end < 0) return undefined;
    const tag = text.slice(open, end);
    const raw = RAW.exec(tag)?.[1];
    if (raw && !tag.endsWith("/>")) this.until = `</${raw.toLowerCase()}`;
    return { text: rewriteTag(tag, this.place), next: end };
  }
}

/** Behind the `>` that ends the tag: not one in a quoted value. -1 where it has not come. */
function tagEnd(text: string, open: number): number {
  let quote = "";
  for (let i = open + 1; i < text.length; i++) {
    const char = text[i]!;
    if (quote !== "") quote = char === quote ? "" : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === ">") return i + 1;
  }
  return -1;
}

/** For a page: its stream decompressed and rewritten. Undefined for what is no page, or cannot be read. */
export function linkRewriter(
  headers: IncomingHttpHeaders,
  place: ProxyPlace,
): ((body: Readable) => Readable) | undefined {
  const [type = ""] = (headers["content-type"] ?? "").split(";");
  if (type.trim().toLowerCase() !== "text/html") return undefined;
  const decoders = {
    "": () => undefined,
    identity: () => undefined,
    gzip: createGunzip,
    deflate: createInflate,
    br: createBrotliDecompress,
  };
  const encoding = headers["content-encoding"] ?? "";
  if (!Object.hasOwn(decoders, encoding)) return undefined;
  const decoder = decoders[encoding as keyof typeof decoders];
  return (body) => {
    const links = new LinkRewriter(place);
    const rewrite = new Transform({
      transform: (chunk: Buffer, _encoding, done) => done(null, links.take(chunk)),
      flush: (done) => done(null, links.finish()),
    });
    const decode = decoder();
    // What fails in the middle destroys the last of them, which its reader sees.
    if (decode) pipeline(body, decode, rewrite, () => {});
    else pipeline(body, rewrite, () => {});
    return rewrite;
  };
}
