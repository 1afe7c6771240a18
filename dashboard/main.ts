import { Feed } from './changes.ts';
import { ConfigPage } from './config-page.ts';
import { ExplainBox } from './explain.ts';
import { FigureRow } from './figures.ts';
import { Flow } from './flow.ts';
import { readyFocus, readyKeys, readyTheme } from './keys.ts';
import { GatewayNode } from './node.ts';
import { RoutePage } from './route-page.ts';
import { RoutesTable } from './routes-table.ts';
import { ServicesTable } from './services-table.ts';
import { Verdict } from './verdict.ts';
import { type View, Views } from './views.ts';

const feed = new Feed();
const node = new GatewayNode({ second: draw, event: (type, data) => feed.hear(type, data) });
const verdict = new Verdict();
const figures = new FigureRow(node.traffic);
const flow = new Flow();
const table = new RoutesTable(node.traffic);
const services = new ServicesTable();
const explain = new ExplainBox();
const routePage = new RoutePage(node.traffic);
const configPage = new ConfigPage();
const views = new Views(opened);

/** Only what is looked at is drawn. */
function draw(): void {
  const { routes, status, sources, cache, traffic } = node;
  if (status === null) return;
  switch (views.current.kind) {
    case 'route':
      return routePage.show(traffic.flowing().routes, routes, status);
    case 'config':
      return configPage.show(status);
    case 'overview': {
      const flowing = traffic.flowing();
      verdict.show(node, flowing.routes);
      figures.show(
        routes.some(({ cached }) => cached),
        cache,
      );
      flow.show(routes, node.services, status, flowing);
      table.show(routes, flowing.routes);
      services.show(node.services);
      feed.showSources(sources, cache?.redis ?? null);
    }
  }
}

function opened(view: View): void {
  if (view.kind === 'route') routePage.open(view.name);
  if (view.kind === 'overview' && view.request !== null) {
    explain.request(view.request);
    document.getElementById('explain')!.scrollIntoView();
  }
  draw();
}

readyTheme();
readyKeys();
readyFocus();
views.read();
void node.run();
