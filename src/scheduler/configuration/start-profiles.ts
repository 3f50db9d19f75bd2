/** Starts the plugins of every profile and sorts them by extension point. */
import {
  ConfigurationError,
  type Plugin,
  type PluginContext,
  type PluginDeclaration,
} from "../framework/plugin.ts";
import { hintsOf, type Profile, type StartedPlugin } from "../framework/profile.ts";
import {
  EXTENSION_POINTS,
  type ExtensionPoint,
  type ProfileConfiguration,
  type SchedulerConfiguration,
} from "./configuration.ts";
import { onEverywhere, pluginsAt } from "./plugins-at.ts";

/** What a plugin has at a point of upstream's; two of theirs are one here. */
const FUNCTIONS: Readonly<Record<ExtensionPoint, keyof Plugin>> = {
  preEnqueue: "preEnqueue",
  queueSort: "queueSort",
  preFilter: "prepareFilter",
  filter: "prepareFilter",
  postFilter: "postFilter",
  preScore: "prepareScore",
  score: "prepareScore",
  reserve: "reserve",
  permit: "permit",
  preBind: "preBind",
  bind: "bind",
  postBind: "postBind",
};

export function startProfiles(
  configuration: SchedulerConfiguration,
  declarations: readonly PluginDeclaration[],
  contextOf: (profile: string) => PluginContext,
): Map<string, Profile> {
  const profiles = new Map<string, Profile>();
  for (const profile of configuration.profiles) {
    const context = contextOf(profile.schedulerName);
    // Nobody knows what would make an extender change its mind.
    const extenders = configuration.extenders.map(({ urlPrefix }) => urlPrefix);
    const percentage = profile.percentageOfNodesToScore ?? configuration.percentageOfNodesToScore;
    const started = startProfile(profile, declarations, context, percentage);
    const [first = started] = profiles.values();
    if (started.queueSorter !== first.queueSorter) {
      throw new ConfigurationError(
        `profiles must have the same queueSort plugin: ${first.name} has ${first.queueSorter}, ${started.name} has ${started.queueSorter}`,
      );
    }
    const helpedByAll = [...started.helpedByAll, ...extenders];
    profiles.set(profile.schedulerName, { ...started, helpedByAll });
  }
  return profiles;
}

export function startProfile(
  configuration: ProfileConfiguration,
  declarations: readonly PluginDeclaration[],
  context: PluginContext,
  percentageOfNodesToScore?: number,
): Profile {
  const declared = new Map(declarations.map((declaration) => [declaration.name, declaration]));
  const defaults = declarations
    .filter(({ offByDefault }) => !offByDefault)
    .map(({ name }) => ({ name, weight: 0 }));
  const everywhere = onEverywhere(configuration, defaults);
  const started = new Map<string, Plugin>();
  const start = (name: string): Plugin => {
    let plugin = started.get(name);
    if (!plugin) {
      const declaration = declared.get(name);
      if (!declaration) throw new ConfigurationError(`there is no plugin ${JSON.stringify(name)}`);
      plugin = declaration.start(context, declaration.arguments?.(configuration.args.get(name)));
      started.set(name, plugin);
    }
    return plugin;
  };
  const at = (point: ExtensionPoint): StartedPlugin[] => {
    const found: StartedPlugin[] = [];
    for (const { name, weight } of pluginsAt(point, configuration, everywhere)) {
      const plugin = start(name);
      if (!plugin[FUNCTIONS[point]]) continue;
      found.push(one(name, plugin, weight || (declared.get(name)?.weight ?? 1)));
    }
    return found;
  };
  // One value for a plugin at all points, so that what is asked of each is asked once.
  const values = new Map<string, StartedPlugin>();
  const one = (name: string, plugin: Plugin, weight: number): StartedPlugin => {
    const known = values.get(name);
    if (known?.weight === weight) return known;
    const value = { name, weight, plugin };
    values.set(name, value);
    return value;
  };
  const points = Object.fromEntries(EXTENSION_POINTS.map((point) => [point, at(point)])) as Record<
    ExtensionPoint,
    StartedPlugin[]
  >;
  const names = new Set(everywhere.map(({ name }) => name));
  return assembled(configuration.schedulerName, points, names, percentageOfNodesToScore);
}

function assembled(
  name: string,
  points: Record<ExtensionPoint, StartedPlugin[]>,
  everywhere: ReadonlySet<string>,
  percentageOfNodesToScore: number | undefined,
): Profile {
  const [sort, ...more] = points.queueSort;
  if (!sort || more.length > 0) {
    throw new ConfigurationError(
      `profile ${name} must have exactly one queueSort plugin, and has ${points.queueSort.length}`,
    );
  }
  if (points.bind.length === 0) throw new ConfigurationError(`profile ${name} must have a bind plugin`);
  const all = new Map(EXTENSION_POINTS.flatMap((point) => points[point]).map((each) => [each.name, each]));
  const filters = both(points.filter, points.preFilter, everywhere);
  return {
    name,
    percentageOfNodesToScore,
    preEnqueue: points.preEnqueue,
    queueSorter: sort.name,
    queueSort: (a, b) => sort.plugin.queueSort!(a, b),
    filters,
    postFilters: points.postFilter,
    scores: both(points.score, points.preScore, everywhere),
    reserves: points.reserve,
    unreserves: [...all.values()].filter(({ plugin }) => plugin.unreserve).reverse(),
    permits: points.permit,
    preBinds: points.preBind,
    binds: points.bind,
    postBinds: points.postBind,
    ...hintsOf(all.values()),
  };
}

/** A plugin that is on everywhere, and turned off at one of the two points that are one here, is off. */
function both(
  these: readonly StartedPlugin[],
  those: readonly StartedPlugin[],
  everywhere: ReadonlySet<string>,
): StartedPlugin[] {
  const names = new Set(those.map(({ name }) => name));
  return these.filter(({ name }) => names.has(name) || !everywhere.has(name));
}
