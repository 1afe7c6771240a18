export { ServiceToken } from './service-token.ts';
