export { AFTER_HEADER, BadAfter } from './after.ts';
export { ChangeView, type PositionWait } from './view.ts';
