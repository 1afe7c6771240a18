export { Fences, type Invalidation, urlTag } from './fences/index.ts';
export {
  type FenceHolders,
  LocalSequence,
  type SequenceLog,
  type SequenceState,
  Unavailable,
} from './sequence/index.ts';
