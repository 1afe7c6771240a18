export {
  compileHandover,
  DEFAULT_NAMES,
  type HandoverConfig,
  type IdentityNames,
  type Sign,
  type Told,
} from './handover.ts';
export { choosing, namesOwner, toldByKey } from './kept.ts';
export { ForbiddenNames } from './names.ts';
export { visible } from './visible.ts';
