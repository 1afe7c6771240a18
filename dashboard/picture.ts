import { s } from './dom.ts';

/** A part of a picture that is kept from one drawing to the next: `values` ease, all else is taken as it is. */
export interface Shape {
  readonly key: string;
  readonly tag: 'path' | 'rect' | 'text' | 'polygon';
  readonly class: string;
  readonly values: readonly number[];
  readonly text?: string;
  /** Attributes made of the values. */
  draw(values: readonly number[]): Readonly<Record<string, string | number>>;
}

interface Drawn {
  shape: Shape;
  readonly element: SVGElement;
  /** As it stands, and where it comes from. */
  values: readonly number[];
  from: readonly number[];
}

/** A few steps look like one movement, and cost far less than sixty a second. */
const STEPS = 6;
const STEP = 50;
/** Less than this isn't seen. */
const SEEN = 0.4;

const still = matchMedia('(prefers-reduced-motion: reduce)');

/** A picture whose parts ease from where they were to where they shall be; at once where motion is to be reduced. */
export class Picture {
  readonly root = s('svg', { 'aria-hidden': 'true' });
  private readonly drawn = new Map<string, Drawn>();
  private timer = 0;

  show(shapes: readonly Shape[], width: number, height: number): void {
    clearTimeout(this.timer);
    this.root.setAttribute('viewBox', `0 0 ${width} ${height}`);
    const wanted = new Set(shapes.map(({ key }) => key));
    for (const [key, { element }] of this.drawn)
      if (!wanted.has(key)) {
        element.remove();
        this.drawn.delete(key);
      }
    const before = this.drawn.size;
    let moves = false;
    for (const shape of shapes) moves = this.take(shape) || moves;
    // What comes new has its place among the others: later ones lie above.
    if (this.drawn.size !== before)
      this.root.append(...shapes.map(({ key }) => this.drawn.get(key)!.element));
    if (moves) this.step(still.matches ? STEPS : 1);
  }

  /** True: it has to move. */
  private take(shape: Shape): boolean {
    const known = this.drawn.get(shape.key);
    if (known === undefined) {
      const element = s(shape.tag, { class: shape.class }, shape.text ?? null);
      const drawn = { shape, element, values: shape.values, from: shape.values };
      this.drawn.set(shape.key, drawn);
      put(drawn);
      return false;
    }
    if (known.shape.class !== shape.class) known.element.setAttribute('class', shape.class);
    if (known.shape.text !== shape.text) known.element.textContent = shape.text ?? '';
    known.shape = shape;
    known.from = known.values;
    return differs(known);
  }

  private step(step: number): void {
    const share = 1 - (1 - step / STEPS) ** 2;
    for (const drawn of this.drawn.values()) {
      if (!differs(drawn)) continue;
      const { from, shape } = drawn;
      drawn.values =
        step >= STEPS ? shape.values : from.map((value, i) => value + (shape.values[i]! - value) * share);
      put(drawn);
    }
    if (step < STEPS) this.timer = setTimeout(() => this.step(step + 1), STEP);
  }
}

function differs({ shape, values }: Drawn): boolean {
  return shape.values.some((value, i) => Math.abs(value - values[i]!) > SEEN);
}

function put({ shape, element, values }: Drawn): void {
  for (const [name, value] of Object.entries(shape.draw(values)))
    element.setAttribute(name, typeof value === 'number' ? value.toFixed(1) : value);
}
