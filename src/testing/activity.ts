/** Counts what goes on between the components of a cluster, so that a test can tell when nothing does. */
import type { Dispatch } from "../client/transports/in-process-transport.ts";

export class Activity {
  /** Requests that wait for their answer; a watch does so until it is open. */
  inFlight = 0;
  /** Grows with every request and every piece of an answer. */
  seen = 0;

  /** Hands requests on, and counts them. */
  counted(dispatch: Dispatch): Dispatch {
    return (request, answer) => {
      const stream = isWatch(request.url);
      let waiting = true;
      this.inFlight++;
      this.seen++;
      const answered = (): void => {
        if (!waiting) return;
        waiting = false;
        this.inFlight--;
      };
      const leave = dispatch(request, {
        headers: (status, headers) => {
          this.seen++;
          if (stream) answered();
          answer.headers(status, headers);
        },
        data: (chunk) => {
          this.seen++;
          answer.data(chunk);
        },
        event: answer.event
          ? (type, object) => {
              this.seen++;
              answer.event!(type, object);
            }
          : undefined,
        end: () => {
          this.seen++;
          answered();
          answer.end();
        },
      });
      return () => {
        answered();
        leave();
      };
    };
  }
}

function isWatch(url: string): boolean {
  return url.includes("?watch=true") || url.includes("&watch=true");
}
