import { byId } from './dom.ts';

/** What the address names behind `#`. */
export type View =
  | { readonly kind: 'overview'; readonly request: string | null }
  | { readonly kind: 'route'; readonly name: string }
  | { readonly kind: 'config' };

const VIEWS = ['overview', 'route', 'config'] as const;

/** Shows one view at a time; `changed` hears which. Parts of the overview are plain anchors. */
export class Views {
  current: View = { kind: 'overview', request: null };
  private readonly changed: (view: View) => void;

  constructor(changed: (view: View) => void) {
    this.changed = changed;
    addEventListener('hashchange', () => this.read());
  }

  read(): void {
    const before = this.current;
    this.current = viewOf(location.hash);
    for (const kind of VIEWS) byId(kind).hidden = kind !== this.current.kind;
    const part = document.getElementById(location.hash.slice(1));
    if (this.current.kind !== 'overview') {
      scrollTo(0, 0);
      byId(`${this.current.kind}-title`).focus();
    } else if (part !== null && before.kind !== 'overview') part.scrollIntoView();
    this.changed(this.current);
  }
}

function viewOf(hash: string): View {
  const [, kind, name] = /^#\/(route|request|config)(?:\/(.+))?$/.exec(hash) ?? [];
  if (kind === 'config') return { kind };
  if (name === undefined) return { kind: 'overview', request: null };
  const decoded = textOf(name);
  return kind === 'route' ? { kind, name: decoded } : { kind: 'overview', request: decoded };
}

/** Whoever typed the address may have left it undecodable. */
function textOf(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
