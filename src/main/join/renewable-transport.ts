import type { Transport } from "../../client/transport.ts";

/** One whose credentials are renewed: what is under way ends with the old ones, as when a connection is lost. */
export class RenewableTransport implements Transport {
  private current: Transport;

  constructor(first: Transport) {
    this.current = first;
  }

  async renew(next: Transport): Promise<void> {
    const before = this.current;
    this.current = next;
    await before.close();
  }

  request: Transport["request"] = (request) => this.current.request(request);
  stream: Transport["stream"] = (request) => this.current.stream(request);

  close(): Promise<void> {
    return this.current.close();
  }
}
