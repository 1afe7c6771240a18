import { Command, CommanderError, Option } from 'commander';
import { version } from '../util/version.ts';
import { hearEarlySignals } from './early-signals.ts';
import { written } from './output.ts';
import type { PurgeOptions } from './purge.ts';
import type { TopOptions } from './top/top.ts';
import { EXIT, UsageError } from './usage.ts';

const FILE = 'config file; where none is named, the one in this folder';

/** Runs the command line, without the program's name in front. Gives the exit code; null: it goes on running. */
export async function main(args: readonly string[]): Promise<number> {
  let code: number = EXIT.ok;
  const program = commands((result) => {
    code = result;
  });
  try {
    if (args.length === 0) program.help({ error: true });
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    return exitCodeOf(error);
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof UsageError) {
    process.stderr.write(`error: ${error.message}\n`);
    return EXIT.usage;
  }
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`tidegate: internal error: ${text}\n(TIDEGATE_DEBUG=1 shows where)\n`);
  if (process.env.TIDEGATE_DEBUG && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return EXIT.internal;
}

type Done = (code: number) => void;

function commands(done: Done): Command {
  const program = new Command('tidegate')
    .description('An API gateway: routes, streams and guards HTTP traffic, configured by one file.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show the help of a command')
    .configureHelp({ showGlobalOptions: false, sortSubcommands: false })
    .exitOverride()
    .showHelpAfterError('("tidegate --help" tells more)');
  const all = [
    addRun,
    addCheck,
    addRoutes,
    addExplain,
    addTop,
    addPurge,
    addSchema,
    addInit,
    addHash,
    addTest,
  ];
  for (const add of all) add(program, done);
  program.addHelpText('after', examples(['tidegate init', 'tidegate check', 'tidegate run']));
  return program;
}

function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`;
}

function command(program: Command, name: string, description: string, lines: readonly string[]): Command {
  return program
    .command(name)
    .description(description)
    .showHelpAfterError(`("tidegate ${name} --help" tells more)`)
    .addHelpText('after', examples(lines));
}

function addRun(program: Command, done: Done): void {
  command(program, 'run', 'run the gateway', ['tidegate run', 'tidegate run gateway.yaml'])
    .argument('[file]', FILE)
    .action(async (file: string | undefined) => {
      const release = hearEarlySignals();
      const [{ run }, { configFile }] = await Promise.all([import('./run.ts'), import('./config-file.ts')]);
      done(await run(configFile(file), release));
    });
}

function addCheck(program: Command, done: Done): void {
  command(program, 'check', 'find everything that is wrong with a config', [
    'tidegate check',
    'tidegate check gateway.yaml --strict',
    'tidegate check --json',
    'tidegate check --connect',
  ])
    .argument('[file]', FILE)
    .option('--strict', 'fail on warnings too')
    .option('--json', 'print what was found as JSON')
    .option('--connect', 'also ask services, change sources and auth servers')
    .action(async (file: string | undefined, options: { strict?: true; json?: true; connect?: true }) => {
      const [{ check }, { configFile }] = await Promise.all([
        import('./check.ts'),
        import('./config-file.ts'),
      ]);
      done(await check(configFile(file), options));
    });
}

function addRoutes(program: Command, done: Done): void {
  command(program, 'routes', 'list the routes of a config', [
    'tidegate routes',
    'tidegate routes gateway.yaml --json',
  ])
    .argument('[file]', FILE)
    .option('--json', 'print them as JSON')
    .action(async (file: string | undefined, options: { json?: true }) => {
      const [{ routes }, { configFile }] = await Promise.all([
        import('./routes.ts'),
        import('./config-file.ts'),
      ]);
      done(await routes(configFile(file), options));
    });
}

function addExplain(program: Command, done: Done): void {
  command(program, 'explain', 'show which route takes a request, and why the others do not', [
    'tidegate explain GET /catalogue/products',
    "tidegate explain GET https://shop.example/ordering/orders -H 'x-beta: on'",
    'tidegate explain gateway.yaml POST /ordering/orders --json',
  ])
    .usage('[options] [file] <method> <url>')
    .argument('<arguments...>', 'config file (may be left out), method, and URL or path')
    .addOption(
      new Option('-H, --header <header>', "a header, as 'name: value'; may be repeated").argParser(collect),
    )
    .option('--ip <address>', "the client's address", '127.0.0.1')
    .option(
      '--listener <name>',
      'the listener that it comes in by; else the one on the port of the URL, or the first',
    )
    .option('--json', 'print the explanation as JSON')
    .action(async (given: string[], options: ExplainFlags) => {
      const { explain } = await import('./explain.ts');
      const [url, method, file, ...more] = [...given].reverse();
      if (url === undefined || method === undefined || more.length > 0) {
        throw new UsageError('explain takes a method and a URL: tidegate explain [FILE] GET /path');
      }
      done(await explain(file, method, url, { ...options, headers: options.header ?? [] }));
    });
}

interface ExplainFlags {
  header?: string[];
  ip: string;
  listener?: string;
  json?: true;
}

function collect(value: string, before: string[] | undefined): string[] {
  return [...(before ?? []), value];
}

const adminOption = () =>
  new Option('--admin <url>', 'where the admin API of the gateway is').default('http://127.0.0.1:9901');
const tokenOption = () => new Option('--token <token>', 'what it asks for (or TIDEGATE_ADMIN_TOKEN)');

function addTop(program: Command, done: Done): void {
  command(program, 'top', 'watch what a running gateway does, once a second', [
    'tidegate top',
    'tidegate top --admin https://10.0.0.5:9901 --token "$TOKEN"',
    'tidegate top --once',
  ])
    .addOption(adminOption())
    .addOption(tokenOption())
    .option('--once', 'print one picture, and end')
    .option('--json', 'print each as a line of JSON')
    .addHelpText('after', '\nq or Ctrl-C ends it. What is no terminal gets plain lines.')
    .action(async (options: TopOptions) => {
      const { top } = await import('./top/top.ts');
      done(await top(options, process.env.TIDEGATE_ADMIN_TOKEN));
    });
}

function addPurge(program: Command, done: Done): void {
  const several = (flags: string, about: string) =>
    new Option(flags, `${about}; may be repeated`).argParser(collect).default([], '');
  command(program, 'purge', 'make a running gateway forget cached answers', [
    'tidegate purge --tag order:42 --tag customer-orders:7',
    'tidegate purge --url https://shop.example/catalogue/products',
    'tidegate purge --prefix /catalogue/ --soft',
    'tidegate purge --all --admin https://10.0.0.5:9901 --token "$TOKEN"',
  ])
    .addOption(several('--tag <tag>', 'what carries this tag'))
    .addOption(several('--url <url>', 'what was asked for under this URL'))
    .addOption(several('--prefix <prefix>', 'what was asked for under a URL, or a path, that begins so'))
    .option('--all', 'everything')
    .option('--soft', 'it becomes stale, and may still be answered where stale is allowed')
    .addOption(adminOption())
    .addOption(tokenOption())
    .action(async (options: PurgeOptions) => {
      const { purge } = await import('./purge.ts');
      done(await purge(options, process.env.TIDEGATE_ADMIN_TOKEN));
    });
}

function addSchema(program: Command, done: Done): void {
  command(program, 'schema', 'print the JSON Schema of configs, for editors', [
    'tidegate schema > tidegate.schema.json',
  ]).action(async () => {
    const { schema } = await import('./schema.ts');
    done(schema());
  });
}

function addInit(program: Command, done: Done): void {
  command(program, 'init', 'write a commented config to start with', [
    'tidegate init',
    'tidegate init gateway.yaml',
  ])
    .argument('[file]', 'file to write', 'tidegate.yaml')
    .action(async (file: string) => {
      const { init } = await import('./init.ts');
      done(init(file));
    });
}

function addHash(program: Command, done: Done): void {
  command(program, 'hash', 'hash a key or password from standard input, for a config', [
    'printf %s "$KEY" | tidegate hash key',
    'tidegate hash password',
  ])
    .argument('<kind>', 'key or password')
    .action(async (kind: string) => {
      const { hash } = await import('./hash.ts');
      done(await hash(kind));
    });
}

function addTest(program: Command, done: Done): void {
  command(program, 'test', 'try requests by given identities against the policies of a config', [
    'tidegate test policies.yaml',
    'tidegate test policies.yaml --config gateway.yaml --json',
  ])
    .argument('<policies>', 'file with identities, requests, and who may send which')
    .option('--config <file>', 'the config; else the one that the file names, or the one in this folder')
    .option('--json', 'print every decision as JSON')
    .action(async (file: string, options: { config?: string; json?: true }) => {
      const { policyTest } = await import('./policy-test.ts');
      done(await policyTest(file, options));
    });
}

/**
 * The exit code where standard output took no more. `tidegate schema | head`: a reader that has had enough is no fault; a
 * full disk is. What is wrong stays wrong, read or not.
 */
function unwritten(error: NodeJS.ErrnoException, code: number): number {
  if (error.code === 'EPIPE') return code;
  process.stderr.write(`error: standard output can't be written: ${error.message}\n`);
  return code === EXIT.ok ? EXIT.input : code;
}

if (import.meta.main) {
  const { stdout, stderr } = process;
  let code: number = EXIT.ok;
  // Where nobody can be told what is wrong, the exit code still says it.
  stderr.on('error', () => {});
  stdout.on('error', (error) => process.exit(unwritten(error, code)));
  code = await main(process.argv.slice(2));
  await Promise.all([written(stdout), written(stderr)]);
  // A config that is a program may have opened what would keep this process alive.
  process.exit(stdout.errored === null ? code : unwritten(stdout.errored, code));
}
