/** `kybern images`: what containers of this machine run. */
import { resolve } from "node:path";
import type { Layout } from "../../cluster/layout.ts";
import { DATA_DIR, layoutFromFlags } from "../data-dir.ts";
import { UsageError, type Verb } from "../verb.ts";

export interface ImagesRun {
  layout: Layout;
  action: "import" | "list" | "rm";
  /** Files to import, or names to remove. */
  subjects: string[];
}

const NEEDED = { import: "the archives to import", rm: "the images to remove", list: undefined };

export const imagesVerb: Verb<ImagesRun> = {
  name: "images",
  summary: "Import, list and remove images of this machine's containerd",
  arguments: [
    { syntax: "<action>", summary: "import, list or rm" },
    {
      syntax: "[subjects...]",
      summary: "archives (as of docker save, or OCI) to import, or images to remove",
    },
  ],
  flags: [DATA_DIR],
  examples: [
    ["Bring an image without a registry", "kybern images import web.tar"],
    ["What is there", "kybern images list"],
  ],
  parse(flags, [action, ...given]) {
    const subjects = given.filter((subject) => subject !== undefined);
    if (action !== "import" && action !== "list" && action !== "rm")
      throw new UsageError(`\`kybern images\` can import, list and rm, not ${JSON.stringify(action)}.`);
    if (NEEDED[action] && subjects.length === 0)
      throw new UsageError(`\`kybern images ${action}\` needs ${NEEDED[action]}.`);
    return {
      layout: layoutFromFlags(flags),
      action,
      subjects: action === "import" ? subjects.map((file) => resolve(file)) : subjects,
    };
  },
};
