import type { Bench } from '../bench.ts';
import { missingTool, wrk } from '../load.ts';
import { availablePeers } from '../peers/index.ts';
import { target } from '../report.ts';
import { compare, contestants, cpuRatio, printStandings, type Standing } from './compare.ts';

const CONNECTIONS = 16;
const UPLOAD = `wrk.method = "POST"
wrk.headers["Content-Type"] = "application/octet-stream"
wrk.body = string.rep("x", 1048576)
`;

/** CPU time for bodies of 1 MiB, downloaded and uploaded. */
export async function bodiesSuite(bench: Bench): Promise<unknown> {
  const missing = missingTool('wrk');
  if (missing !== null) {
    console.log(`  left out: ${missing}`);
    return null;
  }
  console.log('  download');
  const download = await moved(bench, '/large');
  console.log('  upload');
  const upload = await moved(bench, '/upload', UPLOAD);
  target('download, tidegate × nginx', cpuRatio(download, 'tidegate', 'nginx'), 1.5);
  target('upload, tidegate × nginx', cpuRatio(upload, 'tidegate', 'nginx'), 1.5);
  return { download, upload };
}

async function moved(bench: Bench, path: string, script?: string): Promise<Standing[]> {
  const load = (port: number, seconds: number) =>
    wrk(bench, {
      url: `http://127.0.0.1:${port}${path}`,
      connections: CONNECTIONS,
      seconds,
      ...(script === undefined ? {} : { script }),
    });
  const peers = availablePeers(bench.options.peers, ['tidegate', 'nginx', 'haproxy', 'node:http + undici']);
  const standings = await compare(bench, contestants(bench, peers, load));
  printStandings(standings, 'nginx');
  return standings;
}
