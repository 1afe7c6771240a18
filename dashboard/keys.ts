import { byId } from './dom.ts';

/** Where `g` and a letter go. */
const PLACES: Readonly<Record<string, string>> = {
  h: '#figures',
  f: '#flow',
  r: '#routes',
  c: '#changes',
  e: '#explain',
  s: '#services',
  o: '#/config',
};
const THEMES = ['', 'light', 'dark'];

/** What scrolls, or moves by arrow keys, is reached by the keyboard; titles are where a view begins. */
export function readyFocus(): void {
  for (const one of document.querySelectorAll<HTMLElement>('.scroll, .code, #feed, #figures'))
    one.tabIndex = 0;
  for (const one of document.querySelectorAll<HTMLElement>('.title')) one.tabIndex = -1;
}

/** `/` filters routes, `g` and a letter goes to a place, `Escape` back to the overview, `?` lists them. */
export function readyKeys(): void {
  const help = byId<HTMLDialogElement>('keys');
  byId('keys-button').addEventListener('click', () => help.showModal());
  byId('keys-close').addEventListener('click', () => help.close());
  let going = false;
  document.addEventListener('keydown', (event) => {
    const typing = (event.target as HTMLElement).matches('input, textarea');
    if (event.key === 'Escape' && typing) (event.target as HTMLElement).blur();
    if (typing || help.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = going ? PLACES[event.key] : undefined;
    going = event.key === 'g';
    if (place !== undefined) go(place);
    else if (event.key === '/') {
      go('#routes', byId('routes-filter'));
    } else if (event.key === '?') help.showModal();
    else if (event.key === 't') byId('theme').click();
    else if (event.key === 'Escape' && location.hash.startsWith('#/')) go('#figures');
    else return;
    event.preventDefault();
  });
}

function go(place: string, target = document.getElementById(place.slice(1))): void {
  const away = byId('overview').hidden;
  location.hash = place;
  if (target === null) return;
  // Another view is still shown; this part is there once the address was read.
  if (away) addEventListener('hashchange', () => focusOn(target), { once: true });
  else focusOn(target);
}

function focusOn(target: HTMLElement): void {
  target.scrollIntoView();
  if (!target.hasAttribute('tabindex') && !target.matches('input')) target.tabIndex = -1;
  target.focus({ preventScroll: true });
}

/** Follows the system, unless one says otherwise. */
export function readyTheme(): void {
  const root = document.documentElement;
  const set = (theme: string) => {
    root.dataset.theme = theme;
    byId('theme').textContent = `Theme: ${theme === '' ? 'system' : theme}`;
    localStorage.setItem('tidegate-theme', theme);
  };
  set(localStorage.getItem('tidegate-theme') ?? '');
  byId('theme').addEventListener('click', () => {
    set(THEMES[(THEMES.indexOf(root.dataset.theme ?? '') + 1) % THEMES.length]!);
  });
}
