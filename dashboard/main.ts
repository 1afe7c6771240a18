import {
  follow,
  get,
  NeedsToken,
  type Routes,
  type Service,
  type Source,
  type Status,
  setToken,
} from './api.ts';
import { hearEvent, readyFeed, showSources } from './changes.ts';
import { byId } from './dom.ts';
import { readyExplain } from './explain.ts';
import { showFigures } from './figures.ts';
import { showFlow } from './flow.ts';
import { readyKeys, readyTheme } from './keys.ts';
import { Sampler } from './samples.ts';
import { showRoutes, showServices } from './tables.ts';

/** Milliseconds between two looks. */
const EVERY = 1000;
const sampler = new Sampler();

async function look(): Promise<void> {
  const [routes, { services }, status, { sources }] = await Promise.all([
    get<Routes>('/v1/routes'),
    get<{ services: Service[] }>('/v1/services'),
    get<Status>('/v1/status'),
    get<{ sources: Source[] }>('/v1/changes'),
  ]);
  tell(
    `${status.version}, ${status.workers} ${status.workers === 1 ? 'worker' : 'workers'}, config of ${status.config.source.split('/').at(-1)}`,
    false,
  );
  byId('token').hidden = true;
  const found = sampler.look(routes, Date.now());
  showServices(services);
  showSources(sources);
  if (found === null) return;
  showFigures(found.all);
  showFlow(found, services);
  showRoutes(found.routes);
}

function tell(text: string, old: boolean): void {
  const node = byId('node');
  if (node.textContent !== text) node.textContent = text;
  node.toggleAttribute('data-old', old);
}

let lastGood = Date.now();

/** Draws once a second; not at all while nobody looks. */
async function run(): Promise<never> {
  for (;;) {
    if (!document.hidden) {
      try {
        await look();
        lastGood = Date.now();
      } catch (error) {
        if (error instanceof NeedsToken) {
          byId('token').hidden = false;
          tell('It asks for its token', true);
        } else
          tell(`No answer since ${new Date(lastGood).toLocaleTimeString()}: these figures are old`, true);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}

byId('token').addEventListener('submit', (event) => {
  event.preventDefault();
  setToken(byId<HTMLInputElement>('token-value').value);
});
byId('routes-filter').addEventListener('input', () => void look().catch(() => {}));
readyTheme();
readyKeys();
readyFeed();
readyExplain();
void follow(hearEvent);
void run();
