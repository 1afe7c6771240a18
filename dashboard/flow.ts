import type { Route, Service, Status } from './api.ts';
import { byId, each, h, mark, say } from './dom.ts';
import { layOut } from './flow-layout.ts';
import { rate } from './format.ts';
import { fateOf, type Lane, lanesOf } from './lanes.ts';
import { Picture } from './picture.ts';
import type { Flowing } from './traffic.ts';

/** Ribbons need room to bend. */
const narrow = matchMedia('(max-width: 979px)');

/** Where traffic goes: a picture, and the same as a list for narrow screens and for whoever does not see pictures. */
export class Flow {
  private readonly picture = new Picture();
  private readonly list = h('ul', { class: 'lanes', 'aria-label': 'Where traffic goes' });
  private readonly teach = h('div', { class: 'teach' });
  private readonly more = h('button', { type: 'button', hidden: true });
  private all = false;

  constructor() {
    byId('flow-picture').append(this.picture.root, this.list, this.teach, this.more);
    this.more.addEventListener('click', () => {
      this.all = !this.all;
    });
  }

  show(routes: readonly Route[], services: readonly Service[], status: Status, flowing: Flowing): void {
    const { lanes, others } = lanesOf(routes, flowing, this.all);
    const idle = lanes.length === 0;
    mark(this.teach, 'hidden', idle ? null : '');
    mark(this.picture.root, 'hidden', idle || narrow.matches ? '' : null);
    mark(this.more, 'hidden', others > 0 || this.all ? null : '');
    if (idle) this.teachCurl(routes, status);
    else if (!narrow.matches) {
      const width = Math.max(688, byId('flow-picture').clientWidth);
      const { shapes, height } = layOut(lanes, services, width);
      this.picture.show(shapes, width, height);
    }
    say(this.more, this.all ? 'Show the busiest routes alone' : `Show the ${others} others`);
    this.showList(lanes);
  }

  private teachCurl(routes: readonly Route[], { listeners }: Status): void {
    const path = routes
      .map(({ match }) => /\/[A-Za-z0-9/_-]*/.exec(match)?.[0])
      .find((found) => found !== undefined);
    const line = `curl -i http://${listeners[0]?.address ?? '127.0.0.1:8080'}${path ?? '/'}`;
    if (this.teach.lastElementChild?.textContent === line) return;
    this.teach.replaceChildren(
      'Nothing was asked in the last seconds. Ask for something, and it is drawn here:',
      h('pre', {}, line),
    );
  }

  private showList(lanes: readonly Lane[]): void {
    const most = Math.max(...lanes.map(({ requests }) => requests));
    each(
      this.list,
      lanes,
      ({ name }) => name,
      ({ name }) =>
        h(
          'li',
          {},
          h('strong', {}, name),
          h('span'),
          h(
            'span',
            { class: 'bars', 'aria-hidden': 'true' },
            ...['hit', 'onward', 'refused'].map((part) => h('span', { class: part })),
          ),
        ),
      (item, lane) => {
        const [, words, bars] = [...item.children] as HTMLElement[];
        const to = [...new Set(lane.onward.map(({ service }) => service))].join(', ');
        const fate = fateOf(lane);
        say(
          words!,
          ` ${rate(lane.requests)}${fate === '' ? '' : ` · ${fate}`}${to === '' ? '' : ` → ${to}`}`,
        );
        mark(words!, 'class', lane.errors > 0 ? 'act' : 'quiet');
        const rates = [lane.hits, Math.max(0, lane.requests - lane.hits - lane.refused), lane.refused];
        for (const [i, part] of ([...bars!.children] as HTMLElement[]).entries())
          part.style.setProperty('--share', (rates[i]! / most).toFixed(3));
      },
    );
  }
}
