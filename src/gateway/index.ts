export { createGateway, Gateway } from './gateway.ts';
export { OwnListeners } from './own-listeners.ts';
export type { GatewayParts } from './parts.ts';
export { SYNC_EVERY } from './sequence-follower.ts';
