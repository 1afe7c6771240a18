import type { GatewayConfig, RouteConfig } from '../config/index.ts';
import { describeMatch } from '../router/index.ts';
import { loadOrReport, printJson } from './output.ts';
import { EXIT } from './usage.ts';

/** `tidegate routes`: what each route takes and what it does. Gives the exit code. */
export async function routes(file: string, options: { json?: boolean }): Promise<number> {
  const config = await loadOrReport(file);
  if (config === null) return EXIT.input;
  if (options.json) printJson(routesData(config));
  else process.stdout.write(table(config));
  return EXIT.ok;
}

function routesData(config: GatewayConfig) {
  return Object.values(config.routes).map((route) => ({
    route: route.name,
    match: textOfMatch(route),
    action: route.action.kind,
    does: describeAction(route),
  }));
}

function textOfMatch(route: RouteConfig): string {
  return describeMatch(route.match);
}

function table(config: GatewayConfig): string {
  const rows = Object.values(config.routes).map((route) => [
    route.name,
    textOfMatch(route),
    describeAction(route),
  ]);
  if (rows.length === 0) return 'This config has no routes: every request is answered with 404.\n';
  return columns([['ROUTE', 'TAKES', 'DOES'], ...rows]);
}

function columns(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (row: string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return `${rows.map(line).join('\n')}\n`;
}

/** What a route does, on one line. */
export function describeAction({ action }: RouteConfig): string {
  switch (action.kind) {
    case 'respond':
      return `answers ${action.respond.status}`;
    case 'redirect': {
      const { to, scheme, host, path, status } = action.redirect;
      const parts = Object.entries({ to, scheme, host, path }).filter(([, value]) => value !== null);
      const where = parts.map(([key, value]) => (key === 'to' ? textOf(value) : `${key} ${textOf(value)}`));
      return `redirects (${status}) to ${where.join(', ')}`;
    }
    case 'proxy':
      return `to ${action.to.map((to) => describeDestination(to, action.to.length > 1)).join(', ')}`;
  }
}

type Destination = Extract<RouteConfig['action'], { kind: 'proxy' }>['to'][number];

function describeDestination({ service, path, method, weight }: Destination, weighted: boolean): string {
  const target = path === null ? '' : ` ${textOf(path)}`;
  return `${weighted ? `${weight} × ` : ''}${method === null ? '' : `${method} `}${service}${target}`;
}

function textOf(template: unknown): string {
  return typeof template === 'string' ? template : '(a function)';
}
