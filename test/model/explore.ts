// An explicit-state model checker: visits every state that a model can reach.
import { format, type Model, type State } from "./quint.ts";

export type Exploration = {
  states: number;
  /** The names of all actions that were taken. */
  taken: Set<string>;
  /** The shortest way to a state that is not safe. */
  violation?: string[];
  /** States from which no way leads to a settled one. */
  stuck: string[];
};

/** How a state was reached first, and all states that lead to it. */
type Visit = { parent?: string; action: string; from: string[] };

/** Visits every state that the model can reach, breadth first, until one is not safe. */
export function explore(model: Model): Exploration {
  const isSafe = model.property("isSafe");
  const isSettled = model.property("isSettled");
  const taken = new Set<string>();
  const settled = new Set<string>();
  const start = format(model.initial);
  const visits = new Map<string, Visit>([[start, { action: "init", from: [] }]]);
  const queue: { state: State; shown: string }[] = [{ state: model.initial, shown: start }];
  for (const { state, shown } of queue) {
    if (isSettled(state)) settled.add(shown);
    for (const { name, action, state: next } of model.successors(state)) {
      taken.add(name);
      const key = format(next);
      const known = visits.get(key);
      known?.from.push(shown);
      if (known) continue;
      visits.set(key, { parent: shown, action, from: [shown] });
      if (!isSafe(next)) return { states: visits.size, taken, violation: wayTo(key, visits), stuck: [] };
      queue.push({ state: next, shown: key });
    }
  }
  // Backward from the settled states.
  for (const shown of settled) for (const before of visits.get(shown)?.from ?? []) settled.add(before);
  return { states: visits.size, taken, stuck: [...visits.keys()].filter((shown) => !settled.has(shown)) };
}

function wayTo(key: string, visits: ReadonlyMap<string, Visit>): string[] {
  const way = [key];
  for (let visit = visits.get(key); visit?.parent !== undefined; visit = visits.get(visit.parent))
    way.unshift(visit.action);
  return way;
}
