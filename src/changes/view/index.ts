export { ChangeLens } from './lens.ts';
export { ChangeView, mappingStamp } from './view.ts';
