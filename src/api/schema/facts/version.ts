import type { Facts } from "../facts.ts";

export const version: Facts = {
  id: "version",
  group: "",
  deletable: false,
  messages: `
  Info:
  `,
};
