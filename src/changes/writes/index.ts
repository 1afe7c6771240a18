export { NodeWrites, type NodeWritesParts } from './node-writes.ts';
export type { WriteNote } from './note.ts';
export { WriteRoom, type WriteRoomParts } from './write-room.ts';
