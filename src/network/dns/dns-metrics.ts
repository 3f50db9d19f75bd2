/** Figures under CoreDNS' names, as dashboards know them. */
import { type Buckets, buckets, type Histogram } from "../../base/metrics/histogram.ts";
import { type Amount, MetricSet } from "../../base/metrics/metric-set.ts";
import type { Answered, Protocol } from "./server/responder.ts";

const SECONDS: Buckets = buckets(Array.from({ length: 16 }, (_, i) => 0.00025 * 2 ** i));
const SIZES: Buckets = buckets([0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3]);

const SERVER = "dns://:53";
/** Types that have a figure of their own; the others are "other". */
const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "A"],
  [2, "NS"],
  [5, "CNAME"],
  [6, "SOA"],
  [12, "PTR"],
  [15, "MX"],
  [16, "TXT"],
  [28, "AAAA"],
  [33, "SRV"],
  [43, "DS"],
  [46, "RRSIG"],
  [47, "NSEC"],
  [48, "DNSKEY"],
  [64, "SVCB"],
  [65, "HTTPS"],
  [255, "ANY"],
]);
const RCODE_NAMES: ReadonlyMap<number, string> = new Map([
  [0, "NOERROR"],
  [1, "FORMERR"],
  [2, "SERVFAIL"],
  [3, "NXDOMAIN"],
  [4, "NOTIMP"],
  [5, "REFUSED"],
  [16, "BADVERS"],
]);

const rcodeName = (rcode: number): string => RCODE_NAMES.get(rcode) ?? String(rcode);

interface Asked {
  requests: Amount;
  requestSize: Histogram;
  responseSize: Histogram;
}

export class DNSMetrics {
  private readonly set = new MetricSet();
  private readonly families = familiesOf(this.set);
  private readonly asked = new Map<string, Asked>();
  private readonly answered = new Map<string, Amount>();
  private readonly durations = new Map<string, Histogram>();
  private readonly clusterZone: string;

  /** `cached` counts what the cache holds, `rejected` what it had no place to wait for. */
  constructor(domain: string, cached: () => number, rejected: () => number) {
    this.clusterZone = `${domain}.`;
    const { set } = this;
    set.gauge(
      "coredns_cache_entries",
      "The number of elements in the cache.",
      ["server", "type", "zones", "view"],
      (gauge) => gauge.of(SERVER, "success", ".", "").set(cached()),
    );
    set.gauge(
      "coredns_forward_max_concurrent_rejects_total",
      "Counter of the number of queries rejected because the concurrent queries were at maximum.",
      [],
      (gauge) => gauge.of().set(rejected()),
    );
  }

  observe(
    { query, by, rcode, message }: Answered,
    requestSize: number,
    from: { protocol: Protocol; family: "1" | "2" },
    seconds: number,
  ): void {
    const zone = by === "kubernetes" ? this.clusterZone : ".";
    const type = query ? (TYPE_NAMES.get(query.type) ?? "other") : "other";
    const { protocol, family } = from;
    const asked = this.askedOf(zone, protocol, family, type);
    asked.requests.add();
    asked.requestSize.observe(requestSize);
    asked.responseSize.observe(message.length);
    this.answeredOf(zone, rcode, by).add();
    this.durationOf(zone).observe(seconds);
    if (by === "cache") this.families.hits.of(SERVER, rcode === 0 ? "success" : "denial", ".", "").add();
    else if (by === "forward") this.families.misses.of(SERVER, ".", "").add();
  }

  forwarded(server: string, rcode: number | undefined, milliseconds: number): void {
    const to = server.includes(":") ? `[${server}]:53` : `${server}:53`;
    const name = rcode === undefined ? "timeout" : rcodeName(rcode);
    this.families.forwards.of("forward", to, name).observe(milliseconds / 1000);
  }

  failed(): void {
    this.families.panics.of().add();
  }

  exposition(): string {
    return this.set.exposition();
  }

  private askedOf(zone: string, protocol: Protocol, family: string, type: string): Asked {
    const key = `${zone} ${protocol} ${family} ${type}`;
    let asked = this.asked.get(key);
    if (!asked) {
      const { requests, requestSize, responseSize } = this.families;
      asked = {
        requests: requests.of(SERVER, zone, "", protocol, family, type),
        requestSize: requestSize.of(SERVER, zone, "", protocol),
        responseSize: responseSize.of(SERVER, zone, "", protocol),
      };
      this.asked.set(key, asked);
    }
    return asked;
  }

  private answeredOf(zone: string, rcode: number, by: string): Amount {
    const key = `${zone} ${rcode} ${by}`;
    let amount = this.answered.get(key);
    if (!amount) {
      amount = this.families.responses.of(SERVER, zone, "", rcodeName(rcode), by);
      this.answered.set(key, amount);
    }
    return amount;
  }

  private durationOf(zone: string): Histogram {
    let histogram = this.durations.get(zone);
    if (!histogram) {
      histogram = this.families.durations.of(SERVER, zone, "");
      this.durations.set(zone, histogram);
    }
    return histogram;
  }
}

function familiesOf(set: MetricSet) {
  const where = ["server", "zone", "view"];
  return {
    requests: set.counter(
      "coredns_dns_requests_total",
      "Counter of DNS requests made per zone, protocol and family.",
      [...where, "proto", "family", "type"],
    ),
    responses: set.counter("coredns_dns_responses_total", "Counter of response status codes.", [
      ...where,
      "rcode",
      "plugin",
    ]),
    durations: set.histogram(
      "coredns_dns_request_duration_seconds",
      "Histogram of the time (in seconds) each request took per zone.",
      where,
      SECONDS,
    ),
    requestSize: set.histogram(
      "coredns_dns_request_size_bytes",
      "Size of the EDNS0 UDP buffer in bytes (64K for TCP) per zone and protocol.",
      [...where, "proto"],
      SIZES,
    ),
    responseSize: set.histogram(
      "coredns_dns_response_size_bytes",
      "Size of the returned response in bytes.",
      [...where, "proto"],
      SIZES,
    ),
    hits: set.counter("coredns_cache_hits_total", "The count of cache hits.", [
      "server",
      "type",
      "zones",
      "view",
    ]),
    misses: set.counter("coredns_cache_misses_total", "The count of cache misses.", [
      "server",
      "zones",
      "view",
    ]),
    forwards: set.histogram(
      "coredns_proxy_request_duration_seconds",
      "Histogram of the time each request took.",
      ["proxy_name", "to", "rcode"],
      SECONDS,
    ),
    panics: set.counter("coredns_panics_total", "A metrics that counts the number of panics."),
  };
}
