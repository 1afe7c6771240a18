import { AdminApi, type AdminOptions } from '../admin-api.ts';
import { wantsColour } from '../output.ts';
import { EXIT } from '../usage.ts';
import { frame, type Size } from './frame.ts';
import { type NodePicture, NodeWatch } from './node-watch.ts';
import { paint } from './paint.ts';
import { Screen } from './screen.ts';

export interface TopOptions extends AdminOptions {
  /** One picture, and then the end. */
  once?: true;
  json?: true;
}

/** A picture is made with each second that the node tells; where it tells none, after this; ms. */
const EVERY = 1_200;
/** Until then a node that is alive has told a second. */
const FIRST_SAMPLE = 2_500;

/** `tidegate top`: what a running gateway does, once a second. Gives the exit code. */
export async function top(options: TopOptions, tokenOfEnvironment: string | undefined): Promise<number> {
  const watch = new NodeWatch(new AdminApi(options, tokenOfEnvironment));
  const first = await watch.look();
  // Who is away may come; who refuses this token, or is no gateway, stays so.
  if (first.trouble !== null && (options.once || first.trouble.status !== null)) {
    process.stderr.write(`error: ${first.trouble.message}\n`);
    return EXIT.input;
  }
  const following = watch.follow();
  try {
    await (onScreen(options) ? draw(watch, first) : print(watch, options));
  } finally {
    watch.end();
    await following;
  }
  return EXIT.ok;
}

function onScreen({ once, json }: TopOptions): boolean {
  return process.stdout.isTTY && !once && !json && process.env.TERM !== 'dumb';
}

/** Draws on the terminal until somebody ends it. */
async function draw(watch: NodeWatch, first: NodePicture): Promise<void> {
  let picture = first;
  const input = process.stdin.isTTY ? process.stdin : null;
  const colour = wantsColour(process.stdout);
  const show = () => screen.draw(painted(picture, screen.size, colour));
  const screen = new Screen(process.stdout, input, show);
  try {
    let over = false;
    void screen.ended.then(() => {
      over = true;
    });
    while (!over) {
      show();
      await Promise.race([screen.ended, watch.nextSample(EVERY)]);
      if (over) break;
      picture = await Promise.race([watch.look(), screen.ended.then(() => picture)]);
    }
  } finally {
    screen.close();
  }
}

/** Prints one picture after another, as plain lines. */
async function print(watch: NodeWatch, { once, json }: TopOptions): Promise<void> {
  const size = { columns: Number(process.env.COLUMNS) || 100, rows: Number(process.env.LINES) || 40 };
  let wait = FIRST_SAMPLE;
  do {
    await watch.nextSample(wait);
    wait = EVERY;
    const picture = await watch.look();
    if (json) process.stdout.write(`${JSON.stringify(data(picture))}\n`);
    else process.stdout.write(`${painted(picture, size, false).join('\n')}\n${once ? '' : '\n'}`);
  } while (!once);
}

function painted(picture: NodePicture, size: Size, colour: boolean): string[] {
  return frame(picture, size, Date.now()).map((line) => paint(line, size.columns, colour));
}

/** A picture as data: what the admin API said, in its words. */
function data({ look, sample, trouble }: NodePicture): object {
  const { status, services, sources } = look ?? {};
  return { error: trouble?.message ?? null, status, second: sample, services, sources };
}
