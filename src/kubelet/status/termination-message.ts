/** What a container left to say at its end: in its file, or as the last lines of its log. */
import type { ContainerState, ContainerStatus } from "../../api/schema/core.v1.generated.ts";
import type { ContainerRecord } from "../pods/runtime-state.ts";

const LONGEST = 4096;
const LONGEST_OF_LOG = 2048;
const LINES_OF_LOG = 80;
const LONGEST_OF_POD = 12 * 1024;

/** Reads at most so many bytes of a file, from its end where `fromEnd`. Throws where there is none. */
export type ReadPart = (path: string, bytes: number, fromEnd: boolean) => Promise<Buffer>;

export async function terminationMessage(record: ContainerRecord, read: ReadPart): Promise<string> {
  const { message, terminationMessagePath, terminationMessagePolicy, exitCode, logPath, mounts } = record;
  const said = await ownMessage();
  if (message === "") return said;
  return said === "" ? message : `${message}: ${said}`;

  async function ownMessage(): Promise<string> {
    const mount = mounts.find(({ containerPath }) => containerPath === terminationMessagePath);
    if (mount && terminationMessagePath !== "") {
      try {
        const text = (await read(mount.hostPath, LONGEST, false)).toString();
        if (text !== "" || terminationMessagePolicy !== "FallbackToLogsOnError") return text;
      } catch (error) {
        return `Error on reading termination log ${mount.hostPath}: ${error instanceof Error ? error.message : error}`;
      }
    }
    if (terminationMessagePolicy !== "FallbackToLogsOnError" || exitCode === 0) return "";
    try {
      return lastLines((await read(logPath, 4 * LONGEST_OF_LOG, true)).toString());
    } catch (error) {
      return `Error on reading termination message from logs: ${error instanceof Error ? error.message : error}`;
    }
  }
}

/** The text of the last lines of a log in the CRI's form, each `time stream P|F text`. */
export function lastLines(log: string): string {
  let text = "";
  const lines = log.split("\n").filter((line) => line !== "");
  for (const line of lines.slice(-LINES_OF_LOG)) {
    const words = line.split(" ", 3);
    if (words.length < 3) continue;
    const start = words[0]!.length + words[1]!.length + words[2]!.length + 3;
    text += line.slice(start);
    if (!words[2]!.startsWith("P")) text += "\n";
  }
  return text.length > LONGEST_OF_LOG ? text.slice(-LONGEST_OF_LOG) : text;
}

/** All containers of a pod share what its status may hold of messages. */
export function limitMessages(status: ContainerStatus, containers: number): ContainerStatus {
  const longest = Math.floor(LONGEST_OF_POD / Math.max(containers, 1));
  const state = limited(status.state, longest);
  const lastState = limited(status.lastState, longest);
  return state === status.state && lastState === status.lastState ? status : { ...status, state, lastState };
}

function limited(state: ContainerState | undefined, longest: number): ContainerState | undefined {
  const message = state?.terminated?.message;
  if (!state?.terminated || message === undefined || message.length <= longest) return state;
  return { ...state, terminated: { ...state.terminated, message: message.slice(0, longest) } };
}
