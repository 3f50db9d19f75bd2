/** Figures in Prometheus' text form, whose labels may hold any text and whose values say when they were taken. */

export type Labels = readonly (readonly [name: string, value: string])[];

export class Exposition {
  private readonly families = new Map<string, string[]>();

  /** All series of a name come together, in the order of the names' first series. */
  add(family: Family, labels: Labels, value: number, at?: number): void {
    let lines = this.families.get(family.name);
    if (!lines) {
      lines = [`# HELP ${family.name} ${family.help}`, `# TYPE ${family.name} ${family.type}`];
      this.families.set(family.name, lines);
    }
    const told = labels.map(([name, text]) => `${name}="${escaped(text)}"`).join(",");
    const series = told === "" ? family.name : `${family.name}{${told}}`;
    lines.push(at === undefined ? `${series} ${value}` : `${series} ${value} ${Math.round(at)}`);
  }

  text(): string {
    const lines: string[] = [];
    for (const family of this.families.values()) for (const line of family) lines.push(line);
    return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
  }
}

export interface Family {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
}

export function counter(name: string, help: string): Family {
  return { name, type: "counter", help };
}

export function gauge(name: string, help: string): Family {
  return { name, type: "gauge", help };
}

function escaped(text: string): string {
  if (!/[\\"\n]/.test(text)) return text;
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
