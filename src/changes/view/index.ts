export { BadAfter } from './after.ts';
export { ChangeView, mappingStamp, type PositionWait } from './view.ts';
