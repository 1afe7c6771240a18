import { Catalog } from './catalog.ts';

/** Asks a database how far its log goes. Rejects for one that is a standby: what was written is not there yet. */
export async function connectForPosition(
  url: string,
): Promise<{ position(): Promise<string>; close(): void }> {
  const catalog = await Catalog.connect(url, 'tidegate writes', () => {});
  return {
    async position() {
      if (catalog.standby) throw new Error('this is a standby: readYourWrites needs the primary');
      return await catalog.written();
    },
    close: () => void catalog.end(),
  };
}
