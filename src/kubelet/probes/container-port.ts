import type { Container } from "../../api/schema/core.v1.generated.ts";

/** The number of a port that is given by its number or by its name among the container's. */
export function portNumber(port: number | string, container: Container): number {
  if (typeof port === "number") return port;
  const named = container.ports?.find(({ name }) => name === port);
  const number = named ? named.containerPort : Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) {
    throw new Error(`couldn't find port: ${JSON.stringify(port)} in container ${container.name}`);
  }
  return number;
}
