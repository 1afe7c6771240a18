import { parsePercent, withPercentSign } from '../../util/percent.ts';
import type {
  AnswersConfig,
  CompressConfig,
  CorsConfig,
  MirrorConfig,
  StatusActionConfig,
  StatusRuleConfig,
} from '../model.ts';
import type { DefaultsInput, RouteInput } from '../schema/types.ts';
import { destinationsOf, type ReadBytes, redirectOf, respondOf } from './action.ts';
import { rangeOf } from './resilience.ts';
import { durationOf, listOf, sizeOf } from './scalars.ts';

type Inputs = Pick<DefaultsInput, 'cors' | 'compress' | 'errors' | 'onStatus'>;
/** Of an input that may be `none`. */
type Said<T> = Exclude<NonNullable<T>, 'none'>;

/** A route's own key replaces the default's; `none` takes it away. */
export function answersOf(input: Inputs, defaults: Inputs, readBytes: ReadBytes): AnswersConfig {
  const onStatus = said(input.onStatus ?? defaults.onStatus);
  const errors = said(input.errors ?? defaults.errors);
  const cors = said(input.cors ?? defaults.cors);
  return {
    onStatus: onStatus === null ? [] : rulesOf(onStatus, readBytes),
    errors: errors === null ? null : { body: errors.body },
    cors: cors === null ? null : corsOf(cors),
    compress: compressOf(input.compress ?? defaults.compress),
  };
}

function said<T>(input: T | undefined): Said<T> | null {
  return input === undefined || input === 'none' ? null : (input as Said<T>);
}

function rulesOf(input: Said<Inputs['onStatus']>, readBytes: ReadBytes): StatusRuleConfig[] {
  const rules = Object.entries(input).map(([key, entry]) => ({
    key,
    range: rangeOf(key),
    actions: listOf(entry).map((action) => actionOf(action, readBytes)),
  }));
  // Of two that hold the narrower one counts, whatever their order.
  return rules.sort((a, b) => a.range[1] - a.range[0] - (b.range[1] - b.range[0]));
}

type ActionInput = Exclude<Said<Inputs['onStatus']>[string], readonly unknown[]>;

function actionOf(input: ActionInput, readBytes: ReadBytes): StatusActionConfig {
  const fromService = input.from === 'service';
  if (input.respond !== undefined) {
    const respond = respondOf(input.respond, readBytes);
    return {
      kind: 'respond',
      respond: input.respond.status === undefined ? { ...respond, status: 0 } : respond,
      fromService,
    };
  }
  if (input.redirect !== undefined)
    return { kind: 'redirect', redirect: redirectOf(input.redirect), fromService };
  return { kind: 'to', to: destinationsOf(input.to)[0]!, fromService };
}

function corsOf(input: Said<Inputs['cors']>): CorsConfig {
  return {
    origins: listOf(input.origins),
    methods: namesOf(input.methods),
    headers: namesOf(input.headers),
    expose: listOf(input.expose),
    credentials: String(input.credentials ?? false) === 'true',
    maxAge: input.maxAge === undefined ? null : Math.round(durationOf(input.maxAge, 0) / 1000),
  };
}

/** Null for all: browsers read '*' as a name where credentials are sent, so what is asked for is named instead. */
function namesOf(input: string | readonly string[] | undefined): string[] | null {
  const names = input === undefined ? ['*'] : listOf(input);
  return names.includes('*') ? null : [...names];
}

const TEXTS = [
  'text/*',
  'application/json',
  'application/javascript',
  'application/xml',
  'application/wasm',
  'application/manifest+json',
  'image/svg+xml',
  'image/x-icon',
  'font/ttf',
  'font/otf',
  '*+json',
  '*+xml',
];

function compressOf(input: Inputs['compress']): CompressConfig | null {
  if (input === undefined || input === 'none') return null;
  if (typeof input !== 'object') return String(input) === 'true' ? { minSize: 1024, types: TEXTS } : null;
  return {
    minSize: sizeOf(input.minSize, 1024),
    types: input.types === undefined ? TEXTS : listOf(input.types),
  };
}

export function mirrorOf(
  input: RouteInput['mirror'],
  fallback: DefaultsInput['mirror'],
): MirrorConfig | null {
  const mirror = said(input ?? fallback);
  if (mirror === null) return null;
  return {
    to: destinationsOf(mirror.to)[0]!,
    share: mirror.percent === undefined ? 1 : parsePercent(withPercentSign(String(mirror.percent))),
  };
}
