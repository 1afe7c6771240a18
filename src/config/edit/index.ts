export { maskedConfig } from './masked.ts';
export { restoreSecrets } from './restore.ts';
