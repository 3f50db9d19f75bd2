import { APIService } from "./api-service.ts";

export { APIService };
export const resources = [APIService];
