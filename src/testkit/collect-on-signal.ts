import { writeFileSync } from 'node:fs';

/**
 * Preloaded into a Node process whose memory is measured: on SIGCONT it collects garbage, gives memory
 * back, and then writes the file that `settledMemory` waits for.
 */

const collect = (globalThis as { gc?: (options?: object) => void }).gc;
const folder = process.env.TIDEGATE_COLLECTED;

process.on('SIGCONT', () => {
  if (collect === undefined || folder === undefined) return;
  for (let i = 0; i < 3; i++) collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  writeFileSync(`${folder}/${process.pid}`, String(Date.now()));
});
