import { spawn } from 'node:child_process';

export interface Outcome {
  ok: boolean;
  /** What the step has to say; shown only when it failed. */
  output: string;
}

/** Runs one step and shows its name, whether it passed, and how long it took. */
export async function step(name: string, run: () => Promise<Outcome>): Promise<boolean> {
  const start = performance.now();
  const outcome = await run().catch((error: unknown) => ({
    ok: false,
    output: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }));
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${outcome.ok ? '✓' : '✗'} ${name} (${seconds} s)`);
  if (!outcome.ok) console.log(indent(outcome.output.trimEnd()));
  return outcome.ok;
}

/** Runs a program to its end, its output gathered. */
export function command(file: string, args: string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const gather = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on('data', gather);
    child.stderr.on('data', gather);
    child.once('error', reject);
    child.once('close', (code) => resolve({ ok: code === 0, output }));
  });
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ');
}
