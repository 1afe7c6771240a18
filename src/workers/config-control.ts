import type { ConfigControl, ReplaceResult } from './admin-contract.ts';
import { type ConfigReading, isCode } from './config-reading.ts';
import { ListenError } from './listening.ts';
import type { Reloading } from './reload.ts';
import { routeChanges } from './route-changes.ts';

/** The config of a node, as the admin API steers it. */
export function configControl(reloading: Reloading): ConfigControl {
  const put = (reading: ConfigReading, ifMatch: string): Promise<ReplaceResult> => {
    const routes = routeChanges(reloading.inForce.reading, reading);
    return reloading.replace(reading, ifMatch).then(
      (done) => (done === 'stale' ? { kind: 'stale' } : { kind: 'replaced', etag: reading.etag, routes }),
      (error: Error) => ({ kind: error instanceof ListenError ? 'taken' : 'failed', why: error.message }),
    );
  };
  return {
    config: () => {
      const { etag, shown } = reloading.inForce.reading;
      return { etag, value: shown };
    },
    async replaceConfig(text, ifMatch) {
      if (isCode(reloading.file)) return { kind: 'code' };
      const { etag } = reloading.inForce.reading;
      if (ifMatch !== '*' && ifMatch !== etag) return { kind: 'stale' };
      const { reading, issues } = await reloading.readEdit(text);
      // Its masks were held against the one that was in force when it was read.
      return reading === null ? { kind: 'invalid', issues } : put(reading, etag);
    },
    async validateConfig(text) {
      if (isCode(reloading.file)) return 'code';
      const { reading, issues } = await reloading.readEdit(text);
      return { issues, routes: reading === null ? null : routeChanges(reloading.inForce.reading, reading) };
    },
    configHistory: () =>
      reloading.history.map(({ reading, loadedAt, source }) => ({
        etag: reading.etag,
        loadedAt: new Date(loadedAt).toISOString(),
        source,
      })),
    async rollbackConfig(etag) {
      if (isCode(reloading.file)) return { kind: 'code' };
      const found = reloading.history.find(({ reading }) => etag === null || reading.etag === etag);
      return found === undefined ? { kind: 'unknown' } : put(found.reading, '*');
    },
  };
}
