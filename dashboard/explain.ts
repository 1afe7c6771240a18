import { get, post, type Remembered } from './api.ts';
import { parseRequest } from './curl-line.ts';
import { byId, h } from './dom.ts';
import { ago, clock, duration, failureInWords } from './format.ts';
import { type Explained, type Station, stationsOf, wayOf } from './stations.ts';

const ID = /^[\w.-]{8,128}$/;
const LATEST = 12;

/** A request's way through the gateway, as a line of stations with their verdicts. */
export class ExplainBox {
  private readonly text = byId<HTMLTextAreaElement>('explain-text');
  private readonly list = byId('stations');
  private asked = 0;

  constructor() {
    const form = byId<HTMLFormElement>('explain-form');
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.answer(() => answerTo(this.text.value.trim()));
    });
    this.text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey) return;
      event.preventDefault();
      form.requestSubmit();
    });
    byId('explain-latest').addEventListener('click', () => void this.answer(latest));
  }

  /** By the id that the client got. */
  request(id: string): void {
    this.text.value = id;
    const listed = recently.get(id);
    void this.answer(async () => (listed === undefined ? wayOfId(id) : wayOf(listed).map(itemOf)));
  }

  /** The answer to an earlier question never stands below a later one, nor comes in its place. */
  private async answer(find: () => Promise<HTMLElement[]>): Promise<void> {
    const question = ++this.asked;
    this.list.replaceChildren();
    this.list.ariaBusy = 'true';
    const items = await find().catch((error: Error) => [
      itemOf({ title: 'Not to be told', verdict: error.message, fine: false }),
    ]);
    if (question !== this.asked) return;
    this.list.ariaBusy = 'false';
    this.list.replaceChildren(...items);
  }
}

/** What is no method and no path is the id of a request that was. */
async function answerTo(text: string): Promise<HTMLElement[]> {
  if (ID.test(text)) return wayOfId(text);
  return stationsOf(await post<Explained>('/v1/explain', parseRequest(text))).map(itemOf);
}

async function wayOfId(id: string): Promise<HTMLElement[]> {
  const { requests } = await get<{ requests: Remembered[] }>(`/v1/requests?id=${encodeURIComponent(id)}`);
  return requests.flatMap(wayOf).map(itemOf);
}

async function latest(): Promise<HTMLElement[]> {
  const { requests } = await get<{ requests: Remembered[] }>(`/v1/requests?limit=${LATEST}`);
  if (requests.length === 0)
    return [
      itemOf({ title: 'None yet', verdict: 'No request has ended since the gateway started.', fine: true }),
    ];
  return requests.map((one) => h('li', { class: one.status < 400 ? '' : 'no' }, ...lineOf(one)));
}

/** Requests of the lists, by id, the newest last: a busy node has forgotten one before somebody follows it from there. */
const recently = new Map<string, Remembered>();
const MOST_LISTED = 300;

/** A request in one line that leads to its way. */
export function lineOf(one: Remembered): (HTMLElement | string)[] {
  recently.delete(one.id);
  recently.set(one.id, one);
  if (recently.size > MOST_LISTED) recently.delete(recently.keys().next().value!);
  const at = Date.parse(one.at);
  const why = one.failure === null ? '' : ` · ${failureInWords(one.failure)}`;
  return [
    h('time', { title: clock(at) }, ago(at)),
    h('a', { href: `#/request/${encodeURIComponent(one.id)}` }, `${one.method} ${one.path}`),
    ` ${one.status} in ${duration(one.duration / 1000)}${one.cache === null ? '' : ` · ${one.cache.outcome}`}${why}`,
  ];
}

function itemOf({ title, verdict, fine, more = [] }: Station): HTMLElement {
  return h(
    'li',
    { class: fine ? '' : 'no' },
    h('strong', {}, fine ? title : `✕ ${title}`),
    verdict,
    ...more.map((line) => h('span', { class: 'also' }, line)),
  );
}
