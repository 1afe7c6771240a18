/** A name in which `*` stands for any text, as a pattern. */
export function globOf(name: string): RegExp {
  const escaped = name.replace(/[\\^$.|?+()[\]{}]/g, '\\$&').replaceAll('*', '[^]*');
  return new RegExp(`^${escaped}$`);
}
