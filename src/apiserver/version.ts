/** What GET /version says: the release of Kubernetes whose API is served. */
import { arch, platform } from "node:process";

const ARCHITECTURES: Record<string, string> = { x64: "amd64", arm64: "arm64" };

export const VERSION = {
  major: "1",
  minor: "36",
  emulationMajor: "1",
  emulationMinor: "36",
  minCompatibilityMajor: "1",
  minCompatibilityMinor: "35",
  gitVersion: "v1.36.2+kybern",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: `node${process.versions.node}`,
  compiler: "v8",
  platform: `${platform}/${ARCHITECTURES[arch] ?? arch}`,
} as const;
