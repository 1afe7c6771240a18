import type { Exchange, Reply, RouteHandle } from '../http/exchange.ts';
import type { RouteCounter } from '../telemetry/index.ts';
import type { AnswerRules } from './answer/index.ts';
import type { Mirror } from './mirror.ts';
import type { HeaderTransform } from './transform.ts';

/** The phases of a request, in their order; each is for one kind of decision. */
export const PHASES = [
  'match',
  'preflight',
  'admit',
  'authenticate',
  'limit',
  'authorize',
  'lookup',
  'dispatch',
  'respond',
] as const;
export type Phase = (typeof PHASES)[number];

/** One step before dispatch: gives back an answer to stop with, or null to go on; a promise only where it waits. */
export interface Filter {
  readonly phase: Phase;
  run(exchange: Exchange): Reply | null | Promise<Reply | null>;
}

/** Gets the answer: at once, or later, by `finish`. */
export type Dispatch = (exchange: Exchange, finish: Finish) => void;

/** Takes the final answer of an exchange. `transform`: what its route, and service, change about it. */
export interface Finish {
  finish(exchange: Exchange, answer: Reply, transform: HeaderTransform | null): void;
}

/** A route as requests see it: just the steps that it uses. Immutable. */
export interface CompiledRoute extends RouteHandle {
  readonly counter: RouteCounter;
  /** Sorted by phase. */
  readonly filters: readonly Filter[];
  readonly dispatch: Dispatch;
  /** What else happens to its answers; null: nothing. */
  readonly rules: AnswerRules | null;
  /** Gets a copy of its requests. */
  readonly mirror: Mirror | null;
  /** What is changed about answers that no service gave. */
  readonly response: HeaderTransform | null;
  /** Paths that its match names letter by letter: there it takes even what the gateway would answer itself. */
  readonly literal: ReadonlySet<string>;
  /** Above 0: shed last where there is too much to do. */
  readonly priority: number;
  /** Largest request body in bytes; Infinity for no bound. */
  readonly maxBody: number;
}

/** Answers at an address that the gateway keeps for itself; null: it doesn't, and a route may. */
export type WellKnown = (exchange: Exchange) => Reply | null;

/** Told when a phase of an exchange begins and ends: traces, metrics, the dashboard. */
export interface PhaseObserver {
  began(exchange: Exchange, phase: Phase): void;
  ended(exchange: Exchange, phase: Phase): void;
}
