type Child = Node | string | number | null;
type Attributes = Readonly<Record<string, string | number | boolean | null>>;

const SVG = 'http://www.w3.org/2000/svg';

/** An element of HTML. Texts are texts: nothing that a gateway tells is ever read as markup. */
export function h(tag: string, attributes: Attributes = {}, ...children: Child[]): HTMLElement {
  return filled(document.createElement(tag), attributes, children);
}

/** An element of SVG. */
export function s(tag: string, attributes: Attributes = {}, ...children: Child[]): SVGElement {
  return filled(document.createElementNS(SVG, tag) as SVGElement, attributes, children);
}

function filled<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null) element.setAttribute(name, String(value));
  }
  for (const child of children)
    if (child !== null) element.append(child instanceof Node ? child : String(child));
  return element;
}

/** The element of an id that the page has. */
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as E;
}

/** What stands already is left alone: each change costs a layout, and takes away what was selected. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function mark(element: Element, name: string, value: string | null): void {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

const kept = new WeakMap<Element, Map<string, HTMLElement>>();

/** Children of an element, one for each of a list and in its order: those that were there already are kept. */
export function each<T>(
  parent: Element,
  list: readonly T[],
  key: (one: T) => string,
  make: (one: T) => HTMLElement,
  update: (element: HTMLElement, one: T) => void,
): void {
  const before = kept.get(parent) ?? new Map<string, HTMLElement>();
  const now = new Map<string, HTMLElement>();
  for (const one of list) {
    const name = key(one);
    const element = before.get(name) ?? make(one);
    update(element, one);
    now.set(name, element);
  }
  for (const [name, element] of before) if (now.get(name) !== element) element.remove();
  kept.set(parent, now);
  let place = parent.firstElementChild;
  for (const element of now.values()) {
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
}
