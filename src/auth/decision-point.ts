import { hash } from 'node:crypto';
import type { DecisionPointConfig } from '../config/model.ts';
import { JsonError, parseJson, type Value } from '../expression/index.ts';
import { Failure } from '../http/errors.ts';
import type { StepTrace } from '../http/exchange.ts';
import { Endpoint } from './call/index.ts';
import type { Decision, Identity } from './contract.ts';
import { type Asked, asked, Decisions, SOURCE } from './decisions.ts';
import type { AuthParts } from './parts.ts';

/** Reads an answer: allowed or not; null: it is none. */
export type Verdict = (answer: ReadonlyMap<Value, Value>) => boolean | null;

/** A server elsewhere that decides who may do what: it is asked by POST, in JSON. */
export class DecisionPoint {
  readonly name: string;
  private readonly config: DecisionPointConfig;
  private readonly parts: AuthParts;
  private readonly endpoint: Endpoint;
  private readonly decisions: Decisions;

  constructor(name: string, config: DecisionPointConfig, parts: AuthParts) {
    this.name = name;
    this.config = config;
    this.parts = parts;
    this.endpoint = new Endpoint(name, config.url, config.tls, parts);
    this.decisions = new Decisions(parts);
  }

  /** @param path What stands behind the path of its URL. */
  decide(
    question: string,
    path: string,
    verdict: Verdict,
    identity: Identity | null,
    trace: StepTrace | null,
  ): Decision | Promise<Decision> {
    const ask = () => this.ask(question, path, verdict, identity, trace);
    if (this.config.cache === 0) {
      trace?.set(SOURCE, 'asked');
      return ask().then(({ decision }) => decision);
    }
    // Who asks is in the key with all that revokes it: a question need not name everything.
    const key = hash('sha256', JSON.stringify([path, question, identity?.tags ?? null]), 'hex');
    return this.decisions.kept(key, trace) ?? this.decisions.decide(key, ask, trace);
  }

  close(): void {
    this.endpoint.close();
  }

  private async ask(
    question: string,
    path: string,
    verdict: Verdict,
    identity: Identity | null,
    trace: StepTrace | null,
  ): Promise<Asked> {
    const { pathname, search } = new URL(this.config.url);
    const headers = ['Content-Type', 'application/json', 'Accept', 'application/json'];
    const answer = await this.endpoint.call(
      {
        method: 'POST',
        target: pathname.replace(/\/$/, '') + path + search,
        headers,
        body: Buffer.from(question),
      },
      this.config.timeout,
      trace,
    );
    if (answer instanceof Failure) return asked({ kind: 'unavailable', failure: answer });
    if (answer.status !== 200) return this.useless(`it answers ${answer.status}`);
    const said = readObject(answer.body);
    const allowed = said === null ? null : verdict(said);
    if (allowed === null) return this.useless('its answer is no decision');
    this.endpoint.worked();
    const decision: Decision = allowed
      ? { kind: 'allowed', identity: identity as Identity }
      : { kind: 'refused', status: 403, why: 'the decision point does not allow it' };
    const left =
      identity?.expiresAt == null ? Number.POSITIVE_INFINITY : identity.expiresAt - this.parts.clock.wall();
    return asked(decision, identity?.tags ?? [], Math.min(this.config.cache, left), question.length);
  }

  private useless(why: string): Asked {
    return asked({ kind: 'unavailable', failure: this.endpoint.failed(why) });
  }
}

function readObject(body: Buffer): ReadonlyMap<Value, Value> | null {
  try {
    const value = parseJson(body, { duplicates: 'reject' });
    return value instanceof Map ? value : null;
  } catch (error) {
    if (error instanceof JsonError) return null;
    throw error;
  }
}
