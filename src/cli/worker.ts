/** What a worker process of `tidegate run` runs. Whatever it imports costs each worker its memory. */
import { createGateway } from '../gateway/index.ts';
import { keepStringsQuick } from '../util/quick-strings.ts';
import { keepObjectsYoung } from '../util/young-objects.ts';
import { runWorker } from '../workers/index.ts';

keepStringsQuick();
keepObjectsYoung();
await runWorker({
  createGateway,
  loadCode: async (file) => (await import('./read-config.ts')).loadCode(file),
});
