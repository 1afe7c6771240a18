import { byId } from './dom.ts';

const PARTS: Readonly<Record<string, string>> = {
  f: 'flow',
  r: 'routes',
  c: 'changes',
  e: 'explain',
  s: 'services',
};
const THEMES = ['', 'light', 'dark'];

/** `/` filters routes; `g` and a letter goes to a part of the page. */
export function readyKeys(): void {
  let going = false;
  document.addEventListener('keydown', (event) => {
    const typing = (event.target as HTMLElement).matches('input, textarea');
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const part = going ? PARTS[event.key] : undefined;
    going = event.key === 'g';
    if (event.key === '/') {
      event.preventDefault();
      byId('routes-filter').focus();
    } else if (part !== undefined) {
      event.preventDefault();
      const section = byId(part);
      section.scrollIntoView();
      section.tabIndex = -1;
      section.focus({ preventScroll: true });
    }
  });
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
