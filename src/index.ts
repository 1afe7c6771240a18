/** Tidegate as a library: the config's types, and a gateway in the caller's own process. */
export * from './config/define.ts';
export { ConfigError, type RunningGateway, type StartOptions, startGateway } from './start-gateway.ts';
