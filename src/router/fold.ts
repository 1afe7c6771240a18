/**
 * A normalised path, or a segment of one, for comparison without case. Letters beyond ASCII are folded as the
 * characters that their encoding stands for; encoded ASCII stays encoded, so that `%2F` never becomes a slash.
 */
export function foldPath(path: string): string {
  return path.includes('%')
    ? path.replaceAll(/(?:%[89A-F][0-9A-F])+/g, foldEncoded).toLowerCase()
    : path.toLowerCase();
}

function foldEncoded(encoded: string): string {
  return encodeURIComponent(decodeURIComponent(encoded).toLowerCase());
}
