/** Joins the client's models with the tables of facts into definitions. */
import type { Facts } from "../../src/api/schema/facts.ts";
import type { Model } from "./models.ts";
import { type Message, readTables, type Tables } from "./tables.ts";

export interface JoinedField {
  name: string;
  required: boolean;
  /** With ids for definitions, relative to the block where they are in it. */
  type: string;
  numbers: string;
  facts: readonly string[];
}

export interface JoinedDefinition {
  kind: string;
  mark: string | undefined;
  atomic: boolean;
  /** In the order of OpenAPI. */
  fields: JoinedField[];
  model: Model | undefined;
}

export interface Block {
  facts: Facts;
  definitions: JoinedDefinition[];
}

/** What is stated of one definition, after following `= rbac.v1`. */
interface Stated {
  message: Message;
  fieldFacts: ReadonlyMap<string, readonly string[]>;
  atomic: boolean;
  /** The block that states it, to which its types are relative. */
  block: string;
}

const NO_FACTS: ReadonlyMap<string, readonly string[]> = new Map();

function stated(tables: ReadonlyMap<string, Tables>, block: string, kind: string): Stated {
  const own = tables.get(block);
  const message = own?.messages.get(kind);
  if (own === undefined || message === undefined) throw new Error(`no facts of ${block}.${kind}`);
  if (message.like !== undefined) return stated(tables, message.like, kind);
  return {
    message,
    fieldFacts: own.fieldFacts.get(kind) ?? NO_FACTS,
    atomic: own.atomic.has(kind),
    block,
  };
}

/** The definition that a model is of: models do not tell their group unless two would have one name. */
function idsOfModels(models: readonly Model[], tables: ReadonlyMap<string, Tables>): Map<string, string> {
  const ids = new Map<string, string>();
  for (const { name } of models) {
    const match = /^([A-Z][a-z]+)?(?:V(\d+(?:(?:alpha|beta)\d+)?))?([A-Z]\w*)$/.exec(name);
    const [, prefix, number, kind = ""] = match ?? [];
    const found = [...tables.values()].filter(
      ({ facts, messages }) =>
        messages.has(kind) &&
        facts.id.endsWith(number === undefined ? "version" : `.v${number}`) &&
        (prefix === undefined || number === undefined || facts.id.startsWith(`${prefix.toLowerCase()}.`)),
    );
    const served = found.length > 1 ? found.filter(({ facts }) => !facts.unserved) : found;
    if (served.length !== 1) {
      throw new Error(`${name} may be of ${served.map(({ facts }) => facts.id).join(", ") || "no group"}`);
    }
    ids.set(name, `${served[0]!.facts.id}.${kind}`);
  }
  return ids;
}

const BARE_TYPE = /[\w.]+/;

/** A model's type in the form of definition-text.ts. */
function modelType(type: string, ids: ReadonlyMap<string, string>, block: string): string {
  return type.replace(BARE_TYPE, (bare) => {
    const id = ids.get(bare);
    return id === undefined ? bare : relative(id, block);
  });
}

function relative(id: string, block: string): string {
  return id.startsWith(`${block}.`) ? id.slice(block.length + 1) : id;
}

/** Moves a type from one block to another: what both have is the other's, the rest stays where it is. */
function moved(type: string, from: Tables, to: Tables): string {
  if (from === to) return type;
  return type.replace(BARE_TYPE, (bare) =>
    !from.messages.has(bare) || to.messages.has(bare) ? bare : `${from.facts.id}.${bare}`,
  );
}

const KIND_FIELDS = ["apiVersion", "kind"];

function joinFields(
  facts: Stated,
  model: Model | undefined,
  typeOfModel: (type: string) => string,
  typeOfTable: (type: string) => string,
): JoinedField[] {
  const fields = new Map<string, JoinedField>();
  for (const { name, type, required } of model?.fields ?? []) {
    fields.set(name, { name, required, type: typeOfModel(type), numbers: "", facts: [] });
  }
  if (model === undefined && facts.message.mark !== undefined) {
    for (const name of KIND_FIELDS)
      fields.set(name, { name, required: false, type: "string", numbers: "", facts: [] });
  }
  for (const { name, type, required, numbers } of facts.message.fields) {
    const known = fields.get(name);
    const told = type === undefined ? known?.type : typeOfTable(type);
    if (told === undefined) throw new Error(`${facts.block}.${facts.message.kind}.${name} has no type`);
    fields.set(name, { name, required: known?.required || required, type: told, numbers, facts: [] });
  }
  for (const [name, more] of facts.fieldFacts) {
    const field = fields.get(name);
    if (field === undefined) throw new Error(`${facts.block}.${facts.message.kind} has no field ${name}`);
    fields.set(name, { ...field, facts: more });
  }
  return [...fields.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

export function join(models: readonly Model[], allFacts: readonly Facts[]): Block[] {
  const tables = new Map(allFacts.map((facts) => [facts.id, readTables(facts)]));
  const ids = idsOfModels(models, tables);
  const modelOf = new Map(models.map((model) => [ids.get(model.name)!, model]));
  return [...tables.values()].map((own) => ({
    facts: own.facts,
    definitions: [...own.messages.values()].map(({ kind, mark, like }) => {
      const known = stated(tables, own.facts.id, kind);
      const base = tables.get(known.block)!;
      const ownModel = modelOf.get(`${own.facts.id}.${kind}`);
      // Without a model of its own it has the shape of the one it is like.
      const model = ownModel ?? (like === undefined ? undefined : modelOf.get(`${known.block}.${kind}`));
      const typeOfModel = (type: string) =>
        ownModel === undefined
          ? moved(modelType(type, ids, known.block), base, own)
          : modelType(type, ids, own.facts.id);
      const fields = joinFields(known, model, typeOfModel, (type) => moved(type, base, own));
      return { kind, mark, atomic: known.atomic, fields, model: ownModel };
    }),
  }));
}
