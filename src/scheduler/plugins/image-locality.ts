/** Prefers nodes that have the pod's images already, the larger and the more widely spread the better. */
import type { PodSpec } from "../../api/schema/core.v1.generated.ts";
import type { NodeInfo } from "../framework/node-info.ts";
import { NodeLog, NodeSum } from "../framework/node-log.ts";
import { definePlugin, MAX_SCORE } from "../framework/plugin.ts";

const MEGABYTE = 1024 * 1024;
/** What is less than this does not matter; what is more than the other, of each container, does not matter more. */
const LEAST = 23 * MEGABYTE;
const MOST_EACH = 1000 * MEGABYTE;

type Images = ReadonlyMap<string, number>;

/** On how many nodes each image is. */
class ImageSpread extends NodeSum<Images> {
  readonly nodes = new Map<string, number>();

  protected of({ images }: NodeInfo): Images {
    return images;
  }

  protected add(images: Images): void {
    for (const name of images.keys()) this.nodes.set(name, (this.nodes.get(name) ?? 0) + 1);
  }

  protected subtract(images: Images): void {
    for (const name of images.keys()) {
      const left = (this.nodes.get(name) ?? 0) - 1;
      if (left > 0) this.nodes.set(name, left);
      else this.nodes.delete(name);
    }
  }
}

/** As nodes name it: with a tag. */
function taggedName(image: string): string {
  return image.lastIndexOf(":") <= image.lastIndexOf("/") ? `${image}:latest` : image;
}

function imagesOf({ containers, initContainers = [], volumes = [] }: PodSpec): string[] {
  const ofVolumes = volumes.flatMap(({ image }) => (image?.reference ? [image.reference] : []));
  const ofContainers = [...initContainers, ...containers].map(({ image = "" }) => image);
  return [...ofContainers, ...ofVolumes].map(taggedName);
}

export const imageLocality = definePlugin({
  name: "ImageLocality",
  weight: 1,
  start: () => {
    const log = new NodeLog();
    const spread = new ImageSpread(log);
    return {
      prepareScore({ pod, nodes: { list } }) {
        const images = imagesOf(pod.spec as PodSpec);
        log.sync(list);
        spread.refresh();
        const shares = images.map((name) => (spread.nodes.get(name) ?? 0) / list.length);
        // Undecided as the nodes are about it, it would give all of them the same.
        if (shares.every((share) => share === 0)) return undefined;
        const range = MOST_EACH * images.length - LEAST;
        return {
          score({ images: has }) {
            let sum = 0;
            for (let i = 0; i < images.length; i++) {
              const size = has.get(images[i]!);
              if (size !== undefined) sum += Math.trunc(size * shares[i]!);
            }
            return Math.trunc((MAX_SCORE * Math.min(Math.max(sum - LEAST, 0), range)) / range);
          },
        };
      },
    };
  },
});
