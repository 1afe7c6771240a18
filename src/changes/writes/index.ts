export { NodeWrites, type NodeWritesParts } from './node-writes.ts';
export type { WriteNote } from './note.ts';
export { WriteRoom } from './write-room.ts';
