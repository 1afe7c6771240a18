import type { AnswersConfig, DestinationConfig, StatusActionConfig } from '../config/model.ts';
import type { Scope } from '../expression/index.ts';
import {
  type AnswerRules,
  compileCompress,
  compileCors,
  compileErrorBody,
  compileRedirect,
  compileRespond,
  type Dispatch,
  OnStatus,
  type StatusAction,
} from '../pipeline/index.ts';
import { errorScopeOf } from './variables.ts';

/** Compiles what happens to answers on their way out; null where nothing does. `dispatch` compiles asking a service. */
export function compileRules(
  config: AnswersConfig,
  scope: Scope,
  dispatch: (to: DestinationConfig) => Dispatch,
): AnswerRules | null {
  const { onStatus, errors, cors, compress } = config;
  if (onStatus.length === 0 && errors === null && cors === null && compress === null) return null;
  const rules = onStatus.map(({ range, actions }) => ({
    range,
    actions: actions.map((one) => action(one, scope, dispatch)),
  }));
  return {
    onStatus: rules.length === 0 ? null : new OnStatus(rules),
    errors: errors === null ? null : compileErrorBody(errors.body, errorScopeOf(scope)),
    cors: cors === null ? null : compileCors(cors),
    compress: compress === null ? null : compileCompress(compress),
  };
}

function action(
  config: StatusActionConfig,
  scope: Scope,
  dispatch: (to: DestinationConfig) => Dispatch,
): StatusAction {
  const { fromService } = config;
  switch (config.kind) {
    case 'respond': {
      const { status } = config.respond;
      return {
        kind: 'answer',
        answer: compileRespond({ ...config.respond, status: status === 0 ? 200 : status }, scope),
        status: status === 0 ? 0 : status,
        fromService,
      };
    }
    case 'redirect':
      return {
        kind: 'answer',
        answer: compileRedirect(config.redirect, scope),
        status: config.redirect.status,
        fromService,
      };
    case 'to':
      return { kind: 'to', dispatch: dispatch(config.to), fromService };
  }
}
