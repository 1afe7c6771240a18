export { BadAfter } from './after.ts';
export { ChangeLens, type PositionWait } from './lens.ts';
export { ChangeView, mappingStamp } from './view.ts';
