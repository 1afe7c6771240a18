export { type FenceHolders, type SequenceLog, type SequenceState, Unavailable } from './contract.ts';
export { LocalSequence } from './local.ts';
