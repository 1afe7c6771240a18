/**
 * A model of two nodes that share a log of invalidations, small enough that every interleaving of its steps is
 * visited. What decides whether an entry is alive is the real code of the fences; origin, log, leases and processes
 * are numbers here. A state is plain data: `fencesOf` makes the real fences from what a worker has heard.
 */
import { Fences, type Invalidation } from '../../src/cache/fences/index.ts';

/** What goes wrong in a run; each at most once, at any moment. */
export interface Faults {
  /** The worker is stopped (SIGSTOP), and goes on later. */
  stop?: boolean;
  /** The node is cut off from the log, and comes back. */
  cut?: boolean;
  /** The log is trimmed before the node has read it. */
  gap?: boolean;
  /** Redis restarts empty. */
  restart?: boolean;
  /** Redis can't be reached by the purging node when it purges. */
  away?: boolean;
}

/** A rule that is left out, to see that the model notices. */
export type Mutation =
  | 'the fence is taken after the read'
  | 'a worker answers without its lease'
  | 'a purge does not wait for workers'
  | 'a node that is cut off goes on'
  | 'a gap is passed over'
  | 'a new epoch is taken for the old one';

/** Redis counts in such steps; what a node does alone goes between them. */
const STEP = 10;
const WRITES = 2;
/** One after the other, where little goes wrong; else one. */
const FILLS = 2;

/** `number`, and whether the floor rises to it. */
type Op = readonly [number: number, floor: boolean];

interface Worker {
  heard: Op[];
  /** Told to it and not yet heard. */
  pending: Op[];
  lease: boolean;
  stopped: boolean;
  entry: { sequence: number; version: number } | null;
  fill: { sequence: number | null; version: number | null } | null;
  fillsLeft: number;
}

interface Node {
  epoch: number;
  /** Greatest number of the log that it has taken. */
  seen: number;
  newest: number;
  cut: boolean;
  /** The log was heard no longer ago than maxUnsynced. */
  synced: boolean;
  worker: Worker;
  /** No older version may be answered from here. */
  promised: number;
}

interface Write {
  /** `told`: resolved for the purger; `everywhere`: maxUnsynced has passed since. */
  phase: 'none' | 'written' | 'numbered' | 'alone' | 'told' | 'everywhere';
  version: number;
  number: number;
  epoch: number;
}

interface State {
  version: number;
  log: { epoch: number; sequence: number; entries: number[] };
  nodes: [Node, Node];
  writes: Write[];
  left: Required<Faults>;
}

type Step = [name: string, next: (state: State) => unknown];

const TAG: Invalidation = { tags: ['order:1'], prefixes: [], all: false, soft: false };

const known = new Map<string, Fences>();

function fencesOf({ heard }: Worker): Fences {
  const key = heard.join(';');
  let fences = known.get(key);
  if (fences === undefined) {
    fences = new Fences();
    for (const [number, floor] of heard)
      if (floor) fences.raiseFloor(number);
      else fences.apply(number, TAG);
    known.set(key, fences);
  }
  return fences;
}

export interface Explored {
  states: number;
  /** The steps that lead to a stale answer; null where there is none. */
  stale: string[] | null;
  /** Answers from the cache that were checked. */
  answers: number;
}

/**
 * Visits every state that can be reached. One node fills and answers: A, where purges come from, or B. Nodes meet in
 * the log alone, so what both do at once is no other case.
 */
export function explore(reader: 'A' | 'B', faults: Faults, mutation: Mutation | null = null): Explored {
  const first = initial(faults);
  const more = Object.keys(faults).length > (reader === 'A' ? 1 : 0);
  for (const { worker } of first.nodes) worker.fillsLeft = more ? 1 : FILLS;
  const cameFrom = new Map<string, { from: string; step: string } | null>([[JSON.stringify(first), null]]);
  const open = [JSON.stringify(first)];
  let answers = 0;
  for (let text = open.pop(); text !== undefined; text = open.pop()) {
    const state = JSON.parse(text) as State;
    for (const node of state.nodes) {
      const answered = answerOf(node, mutation);
      if (answered === null) continue;
      answers++;
      if (answered < node.promised) return { states: cameFrom.size, stale: pathTo(text, cameFrom), answers };
    }
    for (const [name, take] of steps(state, reader === 'A' ? 0 : 1, mutation)) {
      const next = JSON.parse(text) as State;
      take(next);
      const key = JSON.stringify(next);
      if (cameFrom.has(key)) continue;
      cameFrom.set(key, { from: text, step: name });
      open.push(key);
    }
  }
  return { states: cameFrom.size, stale: null, answers };
}

function pathTo(text: string, cameFrom: Map<string, { from: string; step: string } | null>): string[] {
  const path: string[] = [];
  for (let at = cameFrom.get(text); at; at = cameFrom.get(at.from)) path.unshift(at.step);
  return path;
}

function initial({ stop = false, cut = false, gap = false, restart = false, away = false }: Faults): State {
  const node = (): Node => ({
    epoch: 1,
    seen: 0,
    newest: 0,
    cut: false,
    synced: true,
    worker: { heard: [], pending: [], lease: true, stopped: false, entry: null, fill: null, fillsLeft: 0 },
    promised: 0,
  });
  return {
    version: 0,
    log: { epoch: 1, sequence: 0, entries: [] },
    nodes: [node(), node()],
    writes: Array.from({ length: WRITES }, () => ({ phase: 'none', version: 0, number: 0, epoch: 0 })),
    left: { stop, cut, gap, restart, away },
  };
}

/** The version that a reader gets from the cache; null: it goes to the origin. */
function answerOf({ worker, synced }: Node, mutation: Mutation | null): number | null {
  const { entry, lease, stopped } = worker;
  if (entry === null || stopped) return null;
  if (!lease && mutation !== 'a worker answers without its lease') return null;
  if (!synced && mutation !== 'a node that is cut off goes on') return null;
  const fenced = { sequence: entry.sequence, tags: TAG.tags, url: 'http://shop/orders/1' };
  return fencesOf(worker).isDead(fenced) ? null : entry.version;
}

function steps(state: State, reader: number, mutation: Mutation | null): Step[] {
  const [home, other] = state.nodes;
  const own = state.nodes[reader]!;
  return [
    ...writerSteps(state, reader, mutation),
    ...(reader === 1 && home.epoch !== state.log.epoch ? logSteps(state, home, 0, mutation) : []),
    ...logSteps(state, own, reader, mutation),
    ...workerSteps(own, reader, mutation),
    ...faultSteps(state, own === other),
  ];
}

function writerSteps(state: State, reader: number, mutation: Mutation | null): Step[] {
  const found: Step[] = [];
  const [home, other] = state.nodes;
  for (const [i, write] of state.writes.entries()) {
    const on = (name: string, change: (next: State, own: Write) => unknown) =>
      found.push([`write ${i + 1}: ${name}`, (next) => change(next, next.writes[i]!)]);
    if (write.phase === 'none' && (i === 0 || state.writes[i - 1]!.phase !== 'none'))
      on('the origin changes', (next, own) => {
        next.version++;
        Object.assign(own, { phase: 'written', version: next.version });
      });
    if (write.phase === 'written' && home.epoch === state.log.epoch)
      on('the log numbers it', ({ log, nodes }, own) => {
        log.sequence += STEP;
        log.entries.push(log.sequence);
        // Where B is looked at, A takes it at once: the sooner it is done, the more is promised.
        if (reader === 1) Object.assign(nodes[0], { seen: log.sequence, newest: log.sequence });
        Object.assign(own, { phase: 'numbered', number: log.sequence, epoch: log.epoch });
      });
    if (write.phase === 'written' && state.left.away && reader === 0)
      on('the node does it alone', ({ nodes: [node], left }, own) => {
        left.away = false;
        tell(node, node.newest + 1, false);
        Object.assign(own, { phase: 'alone', number: node.newest });
      });
    const taken = write.phase === 'alone' || isTaken(home, write);
    const inNumber = write.phase === 'numbered' || write.phase === 'alone';
    const waits = reader === 0 && mutation !== 'a purge does not wait for workers';
    if (inNumber && taken && (!waits || holds(home)))
      on('is told as done', ({ nodes }, own) => {
        nodes[0].promised = Math.max(nodes[0].promised, own.version);
        // What the log does not hold is no promise to others until they hear of it.
        own.phase = own.phase === 'alone' ? 'everywhere' : 'told';
      });
    // Time forces one of these: it has heard of it, or knows that it has heard nothing for too long.
    const passes = !other.synced || (isTaken(other, write) && holds(other));
    if (write.phase === 'told' && reader === 1 && passes)
      on('maxUnsynced passes', ({ nodes }, own) => {
        nodes[1].promised = Math.max(nodes[1].promised, own.version);
        own.phase = 'everywhere';
      });
  }
  return found;
}

function isTaken(node: Node, write: Write): boolean {
  return node.epoch > write.epoch || (node.epoch === write.epoch && node.seen >= write.number);
}

/** Its worker has heard all that it was told, or has no lease to answer by. */
function holds({ worker }: Node): boolean {
  return worker.pending.length === 0 || !worker.lease;
}

function tell(node: Node, number: number, floor: boolean): void {
  node.newest = Math.max(node.newest, number);
  node.worker.pending.push([number, floor]);
}

function logSteps(state: State, node: Node, at: number, mutation: Mutation | null): Step[] {
  const name = `node ${at === 0 ? 'A' : 'B'}`;
  if (node.cut) {
    return node.synced
      ? [
          [
            `${name}: has heard nothing for maxUnsynced`,
            ({ nodes }) => Object.assign(nodes[at]!, { synced: false }),
          ],
        ]
      : [];
  }
  const { log } = state;
  if (node.epoch !== log.epoch) {
    return [
      [
        `${name}: finds another epoch`,
        (next) => {
          const own = next.nodes[at]!;
          // The new life goes on above every number that was ever given.
          if (next.log.sequence <= own.newest) next.log.sequence = (Math.floor(own.newest / STEP) + 1) * STEP;
          Object.assign(own, { epoch: next.log.epoch, seen: next.log.sequence });
          if (mutation !== 'a new epoch is taken for the old one') tell(own, next.log.sequence, true);
        },
      ],
    ];
  }
  const entry = log.entries.find((number) => number > node.seen);
  if (entry === undefined && node.seen < log.sequence)
    return [[`${name}: finds the log trimmed`, (next) => jump(next, at, next.log.sequence, mutation)]];
  // A worker is told so behind all that it is told of the log.
  if (entry === undefined)
    return node.synced || node.worker.pending.length > 0
      ? []
      : [[`${name}: is in step again`, ({ nodes }) => Object.assign(nodes[at]!, { synced: true })]];
  return [
    [
      `${name}: takes ${entry}`,
      (next) => {
        if (entry > node.seen + STEP) return jump(next, at, entry, mutation);
        next.nodes[at]!.seen = entry;
        tell(next.nodes[at]!, entry, false);
      },
    ],
  ];
}

/** Numbers are missing: whatever they said, everything older is dead. */
function jump(next: State, at: number, number: number, mutation: Mutation | null): void {
  next.nodes[at]!.seen = number;
  if (mutation !== 'a gap is passed over') tell(next.nodes[at]!, number, true);
}

function workerSteps({ worker }: Node, at: number, mutation: Mutation | null): Step[] {
  const name = `worker ${at === 0 ? 'A' : 'B'}`;
  const found: Step[] = [];
  const on = (what: string, change: (own: Worker, next: State) => unknown) =>
    found.push([`${name}: ${what}`, (next) => change(next.nodes[at]!.worker, next)]);
  if (worker.lease && (worker.stopped || worker.pending.length > 0))
    on('its lease runs out', (own) => Object.assign(own, { lease: false }));
  if (worker.stopped) {
    on('goes on', (own) => Object.assign(own, { stopped: false }));
    return found;
  }
  if (worker.pending.length > 0) on('hears', (own) => own.heard.push(own.pending.shift()!));
  else if (!worker.lease) on('has its lease again', (own) => Object.assign(own, { lease: true }));
  const { fill } = worker;
  if (fill === null) {
    if (worker.fillsLeft > 0)
      on('begins a fill', (own) => {
        own.fillsLeft--;
        const sequence = mutation === 'the fence is taken after the read' ? null : fencesOf(own).sequence;
        own.fill = { sequence, version: null };
      });
  } else if (fill.version === null)
    on('reads the origin', (own, next) => Object.assign(own.fill!, { version: next.version }));
  else
    on('stores', (own) => {
      const { sequence, version } = own.fill!;
      own.entry = { sequence: sequence ?? fencesOf(own).sequence, version: version! };
      own.fill = null;
    });
  return found;
}

function faultSteps({ left, nodes, log }: State, atB: boolean): Step[] {
  const found: Step[] = [];
  const at = atB ? 1 : 0;
  const { worker, cut } = nodes[at];
  if (left.stop && !worker.stopped)
    found.push([
      'the worker is stopped',
      ({ nodes, left }) => {
        left.stop = false;
        nodes[at].worker.stopped = true;
      },
    ]);
  if (left.cut && !cut)
    found.push([
      'the node is cut off',
      ({ nodes, left }) => {
        left.cut = false;
        nodes[at].cut = true;
      },
    ]);
  if (cut) found.push(['the node is back', ({ nodes }) => Object.assign(nodes[at], { cut: false })]);
  if (left.gap && log.entries.length > 0)
    found.push([
      'the log is trimmed',
      ({ log, left }) => {
        left.gap = false;
        log.entries = [];
      },
    ]);
  if (left.restart)
    found.push([
      'Redis restarts empty',
      ({ log, left }) => {
        left.restart = false;
        Object.assign(log, { epoch: log.epoch + 1, sequence: 0, entries: [] });
      },
    ]);
  return found;
}
