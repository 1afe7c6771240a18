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
  /** A number comes to the log behind a later one, as on a Redis Cluster. */
  late?: boolean;
}

/** A rule that is left out, to see that the model notices. */
export type Mutation =
  | 'the fence is taken after the read'
  | 'a worker answers without its lease'
  | 'a purge does not wait for workers'
  | 'a node that is cut off goes on'
  | 'a gap is passed over'
  | 'a gap is closed at the number behind it'
  | 'a new epoch is taken for the old one'
  | 'what was found alive stays so until a greater number comes';

/** Redis counts in such steps; what a node does alone goes between them. */
const STEP = 10;
const WRITES = 2;
/** One after the other, where little goes wrong; else one. */
const FILLS = 2;

/** What is purged, or null where the floor rises. */
type Op = readonly [number: number, tag: string | null];

interface Worker {
  heard: Op[];
  /** Told to it and not yet heard. */
  pending: Op[];
  lease: boolean;
  stopped: boolean;
  /** `aliveAt`: when it was last found alive (`Entry.aliveAt`). */
  entry: { sequence: number; version: number; aliveAt: number } | null;
  fill: { sequence: number | null; version: number | null } | null;
  fillsLeft: number;
}

interface Node {
  epoch: number;
  /** Place in the log up to which it has taken all. */
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
  /**
   * `begun`: it has its number, and is not in the log yet. `told`: resolved for the purger; `everywhere`: maxUnsynced has
   * passed since.
   */
  phase: 'none' | 'written' | 'begun' | 'logged' | 'alone' | 'told' | 'everywhere';
  version: number;
  tag: string;
  number: number;
  /** Its place in the log. */
  at: number;
  epoch: number;
}

interface Log {
  epoch: number;
  /** The newest number that was given out. */
  sequence: number;
  /** Place of the last entry. */
  at: number;
  /** The last ones. `newest`: what `sequence` was then. */
  entries: { number: number; newest: number; tag: string }[];
}

interface State {
  version: number;
  /** Numbers may come out of their order. */
  late: boolean;
  log: Log;
  nodes: [Node, Node];
  writes: Write[];
  left: Required<Faults>;
}

type Step = [name: string, next: (state: State) => unknown];

/** Of the entry, and of others. */
const TAG = 'order:1';
const OTHER_TAG = 'order:2';

const purgeOf = (tag: string): Invalidation => ({ tags: [tag], prefixes: [], all: false, soft: false });

const known = new Map<string, Fences>();

function fencesOf({ heard }: Worker): Fences {
  const key = heard.join(';');
  let fences = known.get(key);
  if (fences === undefined) {
    fences = new Fences();
    for (const [number, tag] of heard)
      if (tag === null) fences.raiseFloor(number);
      else fences.apply(number, purgeOf(tag));
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
  if (faults.late && faults.gap) beginTwo(first, reader === 'A' ? 0 : 1);
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

function initial(faults: Faults): State {
  const { stop = false, cut = false, gap = false, restart = false, away = false, late = false } = faults;
  // What a gap hides of numbers that come late shows only behind a third.
  const writes = late && gap ? WRITES + 1 : WRITES;
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
    late,
    log: { epoch: 1, sequence: 0, at: 0, entries: [] },
    nodes: [node(), node()],
    writes: Array.from({ length: writes }, (_, i) => ({
      phase: 'none',
      version: 0,
      // Purges of the same tag hide from each other in which order they come.
      tag: late && i < writes - 1 ? OTHER_TAG : TAG,
      number: 0,
      at: 0,
      epoch: 0,
    })),
    left: { stop, cut, gap, restart, away, late },
  };
}

/** Two of other tags are under way already, the later number in the log, and the earlier still to come. */
function beginTwo(state: State, reader: number): void {
  const [late, next] = state.writes as [Write, Write, Write];
  begin(state.log, late);
  begin(state.log, next);
  append(state, next, reader);
  state.left.late = false;
}

/** The version that a reader gets from the cache; null: it goes to the origin. */
function answerOf({ worker, synced }: Node, mutation: Mutation | null): number | null {
  const { entry, lease, stopped } = worker;
  if (entry === null || stopped) return null;
  if (!lease && mutation !== 'a worker answers without its lease') return null;
  if (!synced && mutation !== 'a node that is cut off goes on') return null;
  const fenced = { sequence: entry.sequence, tags: [TAG], url: 'http://shop/orders/1' };
  // As `Cache.standing` remembers it.
  if (entry.aliveAt === stampOf(worker, mutation)) return entry.version;
  return fencesOf(worker).isDead(fenced) ? null : entry.version;
}

/** What has to stay the same for an entry that was found alive to be taken for alive. */
function stampOf(worker: Worker, mutation: Mutation | null): number {
  const { sequence, version } = fencesOf(worker);
  return mutation === 'what was found alive stays so until a greater number comes' ? sequence : version;
}

function steps(state: State, reader: number, mutation: Mutation | null): Step[] {
  const [home, other] = state.nodes;
  const own = state.nodes[reader]!;
  return [
    ...writerSteps(state, reader, mutation),
    ...(reader === 1 && home.epoch !== state.log.epoch ? logSteps(state, home, 0, mutation) : []),
    ...logSteps(state, own, reader, mutation),
    ...workerSteps(own, reader, mutation),
    ...(state.late ? lookingSteps(own, reader, mutation) : []),
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
        if (own.tag === TAG) next.version++;
        Object.assign(own, { phase: 'written', version: own.tag === TAG ? next.version : 0 });
      });
    if (write.phase === 'written' && home.epoch === state.log.epoch)
      on('the log numbers it', (next, own) => {
        begin(next.log, own);
        append(next, own, reader);
      });
    if (write.phase === 'written' && home.epoch === state.log.epoch && state.left.late)
      on('gets its number', ({ log, left }, own) => {
        left.late = false;
        begin(log, own);
      });
    if (write.phase === 'begun')
      on('comes to the log', (next, own) => {
        // In another epoch it gets another number.
        if (own.epoch === next.log.epoch) append(next, own, reader);
        else own.phase = 'written';
      });
    if (write.phase === 'written' && state.left.away && reader === 0)
      on('the node does it alone', ({ nodes: [node], left }, own) => {
        left.away = false;
        tell(node, node.newest + 1, own.tag);
        Object.assign(own, { phase: 'alone', number: node.newest });
      });
    const taken = write.phase === 'alone' || isTaken(home, write);
    const inNumber = write.phase === 'logged' || write.phase === 'alone';
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

function begin(log: Log, own: Write): void {
  log.sequence += STEP;
  Object.assign(own, { phase: 'begun', number: log.sequence, epoch: log.epoch });
}

function append({ log, nodes }: State, own: Write, reader: number): void {
  log.at++;
  log.entries.push({ number: own.number, newest: log.sequence, tag: own.tag });
  // Where B is looked at, A takes it at once: the sooner it is done, the more is promised.
  if (reader === 1) Object.assign(nodes[0], { seen: log.at, newest: log.sequence });
  Object.assign(own, { phase: 'logged', at: log.at });
}

function isTaken(node: Node, write: Write): boolean {
  return node.epoch > write.epoch || (node.epoch === write.epoch && node.seen >= write.at);
}

/** Its worker has heard all that it was told, or has no lease to answer by. */
function holds({ worker }: Node): boolean {
  return worker.pending.length === 0 || !worker.lease;
}

function tell(node: Node, number: number, tag: string | null): void {
  node.newest = Math.max(node.newest, number);
  node.worker.pending.push([number, tag]);
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
          Object.assign(own, { epoch: next.log.epoch, seen: next.log.at });
          if (mutation !== 'a new epoch is taken for the old one') tell(own, next.log.sequence, null);
        },
      ],
    ];
  }
  const place = Math.max(node.seen, log.at - log.entries.length) + 1;
  const entry = log.entries.at(place - log.at - 1);
  if (log.entries.length === 0 && node.seen < log.at)
    return [[`${name}: finds the log trimmed`, (next) => jump(next, at, log.at, log.sequence, mutation)]];
  // A worker is told so behind all that it is told of the log.
  if (entry === undefined || place > log.at)
    return node.synced || node.worker.pending.length > 0
      ? []
      : [[`${name}: is in step again`, ({ nodes }) => Object.assign(nodes[at]!, { synced: true })]];
  return [
    [
      `${name}: takes ${entry.number}`,
      (next) => {
        const { number, newest, tag } = entry;
        const upTo = mutation === 'a gap is closed at the number behind it' ? number : newest;
        if (place > node.seen + 1) return jump(next, at, place, upTo, mutation);
        next.nodes[at]!.seen = place;
        tell(next.nodes[at]!, number, tag);
      },
    ],
  ];
}

/** Numbers are missing: whatever they said, everything older is dead. */
function jump(next: State, at: number, place: number, number: number, mutation: Mutation | null): void {
  next.nodes[at]!.seen = place;
  if (mutation !== 'a gap is passed over') tell(next.nodes[at]!, number, null);
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
      own.entry = { sequence: sequence ?? fencesOf(own).sequence, version: version!, aliveAt: -1 };
      own.fill = null;
    });
  return found;
}

/** Where numbers come in their order, it says nothing new that an entry was found alive. */
function lookingSteps(node: Node, at: number, mutation: Mutation | null): Step[] {
  const { entry } = node.worker;
  const stamp = stampOf(node.worker, mutation);
  if (entry === null || entry.aliveAt === stamp || answerOf(node, mutation) === null) return [];
  const name = `worker ${at === 0 ? 'A' : 'B'}: answers`;
  return [[name, ({ nodes }) => Object.assign(nodes[at]!.worker.entry!, { aliveAt: stamp })]];
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
        Object.assign(log, { epoch: log.epoch + 1, sequence: 0, at: 0, entries: [] });
      },
    ]);
  return found;
}
