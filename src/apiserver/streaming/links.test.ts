import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { LinkRewriter, linkRewriter, rewriteURL } from "./links.ts";

const PLACE = {
  root: "/api/v1/namespaces/n/pods/p:80/proxy",
  backend: "10.0.0.9:80",
  asked: "127.0.0.1:8001",
};

function rewritten(page: string, step = page.length): string {
  const links = new LinkRewriter(PLACE);
  const bytes = Buffer.from(page);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += step) parts.push(links.take(bytes.subarray(at, at + step)));
  return Buffer.concat([...parts, links.finish()]).toString();
}

test("URLs from the root of what is behind a proxy stay below the proxy, others are left alone", () => {
  const { root } = PLACE;
  for (const [given, expected] of [
    ["/a/b?c=d#e", `${root}/a/b?c=d#e`],
    ["/", `${root}/`],
    ["http://10.0.0.9:80/a", `${root}/a`],
    ["http://10.0.0.9:80", `${root}/`],
    ["https://127.0.0.1:8001/a", `${root}/a`],
    ["//10.0.0.9:80/a", `${root}/a`],
    [`${root}/a`, `${root}/a`],
    [root, root],
    [`${root}x`, `${root}${root}x`],
    ...["a/b", "../a", "?a", "#a", "", "http://10.0.0.9:81/a", "https://example.org/", "//example.org/a"].map(
      (same) => [same, same] as const,
    ),
    ["mailto:a@b", "mailto:a@b"],
    ["data:,/a", "data:,/a"],
    ["javascript:f('/a')", "javascript:f('/a')"],
  ] as const) {
    assert.equal(rewriteURL(given, PLACE), expected, given);
  }
});

test("links of a page are rewritten, and nothing else of it, however it is cut", () => {
  const { root } = PLACE;
  const page = [
    '<!DOCTYPE html><html manifest=/app.manifest><head><LINK HREF="/style.css"><base target=x>',
    "<script src='/code.js'>if (a < b) document.write('<a href=\"/left\">');</script>",
    '<style>a > b { background: url("/left") }</style><title><a href="/left"></title></head>',
    '<body data-x="/left"><!-- <a href="/left"> > --><a title="a > b" href = "/ä?x=1&amp;y=2">1 < 2</a>',
    '<img alt=\'<a href="/left">\' src="/i.png"/><form action="/post"></form><a href="next">n</a><p>a<',
  ].join("\n");
  const expected = page
    .replace("manifest=/app.manifest", `manifest="${root}/app.manifest"`)
    .replace('HREF="/style.css"', `HREF="${root}/style.css"`)
    .replace("src='/code.js'", `src='${root}/code.js'`)
    .replace('"/ä?', `"${root}/ä?`)
    .replace('src="/i.png"', `src="${root}/i.png"`)
    .replace('action="/post"', `action="${root}/post"`);
  for (let step = 1; step <= page.length; step += step < 40 ? 1 : 13)
    assert.equal(rewritten(page, step), expected);
});

test("a tag without an end is passed on as it is", () => {
  const page = `<a href="/x${"y".repeat(200_000)}`;
  assert.equal(rewritten(page, 10_000), page);
});

test("only pages that can be read are rewritten, compressed ones too", async () => {
  assert.equal(linkRewriter({ "content-type": "application/json" }, PLACE), undefined);
  assert.equal(linkRewriter({}, PLACE), undefined);
  assert.equal(linkRewriter({ "content-type": "text/html", "content-encoding": "zstd" }, PLACE), undefined);
  assert.equal(
    linkRewriter({ "content-type": "text/html", "content-encoding": "constructor" }, PLACE),
    undefined,
  );
  const headers = { "content-type": "text/html; charset=utf-8", "content-encoding": "gzip" };
  const parts: Buffer[] = [];
  const page = linkRewriter(headers, PLACE)!(Readable.from([gzipSync('<a href="/a">')]));
  for await (const part of page) parts.push(part as Buffer);
  assert.equal(Buffer.concat(parts).toString(), `<a href="${PLACE.root}/a">`);
});
