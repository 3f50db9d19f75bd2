/** The columns that nearly every kind has. */
import { ageSince } from "../../machinery/time/duration.ts";
import type { KubeObject } from "../object.ts";
import type { Column } from "../resource.ts";

export const nameColumn: Column<KubeObject> = {
  name: "Name",
  type: "string",
  format: "name",
  cell: ({ metadata }) => metadata.name,
};

export const ageColumn: Column<KubeObject> = {
  name: "Age",
  type: "string",
  cell: ({ metadata }, now) => ageSince(metadata.creationTimestamp, now),
};
