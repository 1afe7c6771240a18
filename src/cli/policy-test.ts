import { BadRequest, PolicyTest, type Verdict } from '../snapshot/index.ts';
import { configFile } from './config-file.ts';
import { counted, loadOrReport, printJson } from './output.ts';
import { type PolicyCase, type PolicyFile, PolicyFileError, readPolicyFile } from './policy-file.ts';
import { EXIT } from './usage.ts';

/** One request by one identity. */
interface Cell extends Verdict {
  readonly request: string;
  readonly identity: string;
  /** Null: nothing was said of it. */
  readonly expected: boolean | null;
  readonly ok: boolean;
}

type Options = { config?: string; json?: boolean };

/** `tidegate test`: given requests by given identities against a config's policies. Gives the exit code. */
export async function policyTest(file: string, options: Options): Promise<number> {
  try {
    return await run(file, options);
  } catch (error) {
    if (!(error instanceof PolicyFileError)) throw error;
    process.stderr.write(`error: ${error.message}\n`);
    return EXIT.input;
  }
}

async function run(file: string, options: Options): Promise<number> {
  const policies = readPolicyFile(file);
  const config = await loadOrReport(configFile(options.config ?? policies.config ?? undefined));
  if (config === null) return EXIT.input;
  for (const [name, who] of policies.identities) {
    if (who === null || who.provider === null || Object.hasOwn(config.auth, who.provider)) continue;
    throw new PolicyFileError(`${file}: identities.${name}: the config has no provider "${who.provider}"`);
  }
  const test = new PolicyTest(config);
  try {
    const cells = policies.cases.flatMap((one) => cellsOf(one, policies, test, file));
    const wrong = cells.filter(({ ok }) => !ok);
    if (options.json) printJson({ ok: wrong.length === 0, results: cells });
    else process.stdout.write(textOf(cells, policies, wrong));
    return wrong.length === 0 ? EXIT.ok : EXIT.input;
  } finally {
    test.close();
  }
}

function cellsOf(
  { name, request, expected }: PolicyCase,
  policies: PolicyFile,
  test: PolicyTest,
  file: string,
): Cell[] {
  return [...policies.identities].map(([identity, who]) => {
    const verdict = verdictOf(() => test.verdict(request, who), `${file}: requests.${name}`);
    const wanted = expected.get(identity) ?? null;
    return {
      request: name,
      identity,
      ...verdict,
      expected: wanted,
      ok: wanted === null || wanted === verdict.allowed,
    };
  });
}

function verdictOf(decide: () => Verdict, at: string): Verdict {
  try {
    return decide();
  } catch (error) {
    if (error instanceof BadRequest) throw new PolicyFileError(`${at}: ${error.message}`);
    throw error;
  }
}

const WORDS = { true: 'allow', false: 'deny', null: '?' } as const;
const wordOf = (allowed: boolean | null) => WORDS[String(allowed) as keyof typeof WORDS];

function textOf(cells: readonly Cell[], policies: PolicyFile, wrong: readonly Cell[]): string {
  const names = [...policies.identities.keys()];
  const rows = policies.cases.map((one) => [
    one.name,
    ...names.map((identity) => {
      const cell = cells.find((each) => each.request === one.name && each.identity === identity)!;
      return cell.ok ? wordOf(cell.allowed) : `${wordOf(cell.allowed)} !`;
    }),
  ]);
  const table = [['', ...names], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  const lines = table.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  const faults = wrong.map(
    ({ request, identity, expected, allowed, route, why }) =>
      `${request}, ${identity}: expected ${wordOf(expected)}, but it is ${wordOf(allowed)}\n    ${route === null ? '' : `route ${route}: `}${why}`,
  );
  const judged = cells.filter(({ expected }) => expected !== null).length;
  const end =
    wrong.length === 0
      ? `${counted(judged, 'decision')} as expected`
      : `${counted(wrong.length, 'decision')} of ${judged} not as expected`;
  return `${[...lines, '', ...faults, end].join('\n')}\n`;
}
