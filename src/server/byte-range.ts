/** What part of a file a request asks for, in bytes, both ends included (RFC 9110, 14.1.2). */
export interface ByteRange {
  first: number;
  last: number;
}

/**
 * @returns `whole` where there is no range of bytes that can be read, or several of them, which a server may answer by all of it;
 * `unsatisfiable` where nothing of it is in the file
 */
export function readByteRange(header: string | undefined, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  const parts = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '');
  const [, from = '', to = ''] = parts ?? [];
  if (from === '' && to === '') return 'whole';
  if (from === '') {
    const length = Number(to);
    if (length === 0 || size === 0) return 'unsatisfiable';
    return { first: Math.max(0, size - length), last: size - 1 };
  }
  const first = Number(from);
  if (to !== '' && Number(to) < first) return 'whole';
  if (first >= size) return 'unsatisfiable';
  return { first, last: to === '' ? size - 1 : Math.min(Number(to), size - 1) };
}
