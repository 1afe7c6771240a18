import { expect, it } from 'vitest';
import { httpOrigin, processLab, tempFolder, until } from '../../../src/testkit/index.ts';
import { ask } from '../../workers/fixture/lab.ts';
import { startWholeNode } from './whole-node.ts';

it('what a node keeps in its first moments is still there afterwards', async () => {
  const lab = processLab();
  const folder = tempFolder();
  const asked: string[] = [];
  const origin = await httpOrigin(async ({ url = '' }, response) => {
    asked.push(url);
    response.setHeader('cache-control', 'max-age=600');
    response.end('kept');
  });
  try {
    const { port } = await startWholeNode(lab, folder.path, {
      services: { shop: { url: origin.url } },
      routes: { all: { match: '/*', to: 'shop', cache: true } },
    });
    const begun = performance.now();
    await until(async () => {
      await ask(port, { path: '/page' });
      return performance.now() - begun > 600;
    }, 'its workers to have heard from the supervisor');
    expect(asked).toEqual(['/page']);
  } finally {
    await lab.close();
    await origin.close();
    folder.close();
  }
});
