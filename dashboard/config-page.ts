import { get, type Status } from './api.ts';
import { byId, h, say } from './dom.ts';
import { clock } from './format.ts';

/** The config in force, secrets masked, and those before it. */
export class ConfigPage {
  private shown = '';

  show({ config }: Status): void {
    this.showRefusal(config);
    if (config.etag === this.shown) return;
    this.shown = config.etag;
    void this.look(config).catch(() => {
      this.shown = '';
    });
  }

  /** Why the file as it stands is not in force. */
  private showRefusal({ refused }: Status['config']): void {
    byId('config-refused').hidden = refused === null;
    if (refused === null) return;
    say(
      byId('config-refused-title'),
      `✕ Its file was changed ${when(refused.at)}, and is refused: this is the config before it.`,
    );
    say(byId('config-refused-text'), refused.error.trimEnd());
  }

  private async look({ etag, source, loadedAt }: Status['config']): Promise<void> {
    const [value, { configs }] = await Promise.all([
      get<unknown>('/v1/config'),
      get<{ configs: { etag: string; loadedAt: string; source: string }[] }>('/v1/config/history'),
    ]);
    const from =
      source === 'api'
        ? 'It came over the admin API, and holds until a restart or a change of its file'
        : `It was read from ${source}`;
    say(byId('config-about'), `${from}; in force since ${when(loadedAt)}, etag ${etag.slice(0, 12)}.`);
    say(byId('config-text'), JSON.stringify(value, null, 2));
    byId('config-history').replaceChildren(
      ...configs.map((one) =>
        h('li', {}, h('time', {}, when(one.loadedAt)), `${one.source}, etag ${one.etag.slice(0, 12)}`),
      ),
    );
    byId('config-before').hidden = configs.length === 0;
  }
}

function when(iso: string): string {
  const ms = Date.parse(iso);
  return `${new Date(ms).toLocaleDateString()} ${clock(ms)}`;
}
