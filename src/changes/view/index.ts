export { AFTER_HEADER, BadAfter } from './after.ts';
export { ChangeView, mappingStamp, type PositionWait } from './view.ts';
