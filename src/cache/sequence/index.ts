export {
  type FenceHolders,
  type Note,
  type NoteHearer,
  type Seated,
  type Seats,
  type SequenceLog,
  type SequenceState,
  Superseded,
  Unavailable,
} from './contract.ts';
export { LocalSequence } from './local.ts';
