/** Small images made of the machine's own busybox, so that nothing is pulled. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { runCommand } from "../../../src/host/command.ts";
import { type Image, type ImageRequest, makeImage } from "../../../src/host/oci/image.ts";
import type { TarEntry } from "../../../src/host/oci/tar.ts";

export const BUSYBOX = "localhost/busybox:1";

/** With socat beside busybox: servers of any number of connections and of datagrams. */
export const SOCAT = "localhost/socat:1";

/** What a file of the image is, by its path without the first slash. */
export type Files = Readonly<Record<string, string>>;

/**
 * An image with busybox as every program that it knows, /etc/passwd, /etc/group and a /tmp for all; `files` beside them.
 * It sleeps for an hour unless `cmd` says otherwise.
 */
export async function busyboxImage(
  request: Partial<Omit<ImageRequest, "layers">> & { files?: Files } = {},
): Promise<Image> {
  const { files = {}, ...rest } = request;
  const own = Object.entries(files).map(([path, content]) => text(path, content, 0o755));
  const base = await busyboxEntries();
  return makeImage({
    name: BUSYBOX,
    cmd: ["/bin/sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait"],
    ...rest,
    layers: own.length > 0 ? [base, own] : [base],
  });
}

const text = (path: string, content: string, mode = 0o644): TarEntry => ({
  path,
  mode,
  content: Buffer.from(content),
});

async function busyboxEntries(): Promise<TarEntry[]> {
  const busybox = await readFile("/bin/busybox");
  const users = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n";
  return [
    { path: "bin" },
    { path: "bin/busybox", content: busybox },
    ...PROGRAMS.map((name) => ({ path: `bin/${name}`, linkTo: "busybox" })),
    { path: "etc" },
    text("etc/passwd", users),
    text("etc/group", "root:x:0:\nnobody:x:65534:\n"),
    { path: "root", mode: 0o700 },
    { path: "tmp", mode: 0o1777 },
    { path: "var" },
  ];
}

export async function socatImage(): Promise<Image> {
  const path = ["/usr/bin/socat", "/bin/socat"].find((one) => existsSync(one)) ?? "/usr/bin/socat";
  // The paths of what it links to, as `libc.so.6 => /lib/…/libc.so.6 (0x…)`, and of what loads them.
  const linked = (await runCommand("ldd", [path])).match(/\/\S+/g) ?? [];
  const files = await Promise.all(
    [path, ...linked].map(async (file) => ({
      path: file.slice(1),
      mode: 0o755,
      content: await readFile(file),
    })),
  );
  const busybox = await busyboxEntries();
  return makeImage({ name: SOCAT, cmd: ["/bin/sh"], layers: [busybox, files] });
}

const PROGRAMS =
  "sh ash awk base64 basename cat chmod chown cp cut date dd df dirname du echo env false find free grep head hexdump hostname httpd id ifconfig ip kill killall ln ls md5sum mkdir mkfifo mknod mount mv nc netstat nslookup od ping ping6 pgrep pkill printf ps pwd readlink realpath rm rmdir route sed seq sha256sum sleep sort stat stty sync tail tar tee telnet test timeout top touch tr traceroute true truncate tty umount uname uniq vi wc wget which whoami xargs yes".split(
    " ",
  );
