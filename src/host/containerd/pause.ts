/**
 * The program of pods' sandboxes, written here byte by byte so that nothing need be pulled: it holds the pod's
 * namespaces, and where it is process 1 of a shared PID namespace it reaps what other containers left behind.
 *
 * It blocks SIGINT, SIGTERM and SIGCHLD and waits for them for ever: at SIGCHLD it reaps all that ended, at any other it
 * exits with 0. As process 1 it would never see signals that are not blocked: the kernel ignores those without a handler.
 */
import { type Architecture, hostArchitecture, type Image, makeImage } from "../oci/image.ts";

export const PAUSE_IMAGE = "localhost/kybern/pause:1";

export function pauseImage(architecture: Architecture = hostArchitecture()): Image {
  const content = pauseProgram(architecture);
  return makeImage({
    name: PAUSE_IMAGE,
    architecture,
    layers: [[{ path: "pause", mode: 0o755, content }]],
    entrypoint: ["/pause"],
    // As upstream's: nobody, who owns nothing.
    user: "65535:65535",
  });
}

const ADDRESS = 0x400000;
const HEADERS = 64 + 56;
const MACHINE = { amd64: 62, arm64: 183 };
/** Signal n is bit n-1. */
const SIGNALS = (1 << (2 - 1)) | (1 << (15 - 1)) | (1 << (17 - 1));

/** A static ELF executable. */
export function pauseProgram(architecture: Architecture): Uint8Array {
  const code = architecture === "amd64" ? codeForAMD64() : codeForARM64();
  const mask = Buffer.alloc(8);
  mask.writeUInt32LE(SIGNALS);
  const size = HEADERS + code.length + mask.length;
  const elf = Buffer.alloc(HEADERS);
  elf.write("\x7fELF\x02\x01\x01", 0, "latin1");
  elf.writeUInt16LE(2, 16); // an executable
  elf.writeUInt16LE(MACHINE[architecture], 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(BigInt(ADDRESS + HEADERS), 24); // where it begins
  elf.writeBigUInt64LE(64n, 32); // the one program header
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt32LE(1, 64); // load
  elf.writeUInt32LE(5, 68); // to read and run
  elf.writeBigUInt64LE(BigInt(ADDRESS), 80);
  elf.writeBigUInt64LE(BigInt(ADDRESS), 88);
  elf.writeBigUInt64LE(BigInt(size), 96);
  elf.writeBigUInt64LE(BigInt(size), 104);
  elf.writeBigUInt64LE(0x10000n, 112);
  return Buffer.concat([elf, code, mask]);
}

function codeForAMD64(): Uint8Array {
  return Buffer.from(
    [
      "b80e000000", //         mov eax, rt_sigprocmask
      "31ff", //               xor edi, edi           SIG_BLOCK
      "488d3552000000", //     lea rsi, [mask]
      "31d2", //               xor edx, edx
      "41ba08000000", //       mov r10d, 8
      "0f05", //               syscall
      "b880000000", //   wait: mov eax, rt_sigtimedwait
      "488d3d3c000000", //     lea rdi, [mask]
      "31f6", //               xor esi, esi
      "31d2", //               xor edx, edx           for ever
      "41ba08000000", //       mov r10d, 8
      "0f05", //               syscall
      "83f811", //             cmp eax, SIGCHLD
      "740d", //               je reap
      "85c0", //               test eax, eax
      "78df", //               js wait                was interrupted
      "31ff", //               xor edi, edi
      "b83c000000", //         mov eax, exit
      "0f05", //               syscall
      "b83d000000", //   reap: mov eax, wait4
      "bfffffffff", //         mov edi, -1            any child
      "31f6", //               xor esi, esi
      "ba01000000", //         mov edx, WNOHANG
      "4531d2", //             xor r10d, r10d
      "0f05", //               syscall
      "85c0", //               test eax, eax
      "7fe6", //               jg reap                there may be more
      "ebba", //               jmp wait
      "6690", //               nop                    mask is at a multiple of 8
    ].join(""),
    "hex",
  );
}

function codeForARM64(): Uint8Array {
  const wait = 6;
  const reap = 18;
  const mask = 28;
  const move = (register: number, value: number): number => 0xd2800000 + value * 32 + register;
  // Distances are from the instruction, in words.
  const addressOf = (register: number, from: number, to: number): number =>
    0x10000000 + (to - from) * 32 + register;
  const branchIf = (condition: number, from: number, to: number): number =>
    0x54000000 + ((to - from) & 0x7ffff) * 32 + condition;
  const systemCall = 0xd4000001;
  const [equal, greater] = [0, 12];
  const words = [
    move(0, 0), //                       SIG_BLOCK
    addressOf(1, 1, mask),
    move(2, 0),
    move(3, 8),
    move(8, 135), //                     rt_sigprocmask
    systemCall,
    addressOf(0, wait, mask),
    move(1, 0),
    move(2, 0), //                       for ever
    move(3, 8),
    move(8, 137), //                     rt_sigtimedwait
    systemCall,
    0x7100001f + 17 * 1024, //           cmp w0, SIGCHLD
    branchIf(equal, 13, reap),
    0x37f80000 + ((wait - 14) & 0x3fff) * 32, // tbnz w0, #31, wait: was interrupted
    move(0, 0),
    move(8, 93), //                      exit
    systemCall,
    0x92800000, //                       mov x0, -1: any child
    move(1, 0),
    move(2, 1), //                       WNOHANG
    move(3, 0),
    move(8, 260), //                     wait4
    systemCall,
    0x7100001f, //                       cmp w0, 0
    branchIf(greater, 25, reap), //      there may be more
    0x14000000 + ((wait - 26) & 0x3ffffff), // b wait
    0xd503201f, //                       nop: mask is at a multiple of 8
  ];
  const code = Buffer.alloc(words.length * 4);
  words.forEach((word, i) => {
    code.writeUInt32LE(word >>> 0, i * 4);
  });
  return code;
}
