export { compileHandover, DEFAULT_NAMES, type Sign, type Told } from './handover.ts';
export { choosing, namesOwner, toldByKey } from './kept.ts';
