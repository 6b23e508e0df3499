/** Of one file system, in bytes. */
export interface Space {
  target: string;
  size: number;
  /** to those who are not root */
  available: number;
}

/** Lines of `df -B1 --output=size,avail,target` (df(1)); what has no size, such as `-`, is left out. */
export function parseDf(text: string): Space[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d{1,16})\s+(\d{1,16})\s(.+)$/.exec(line);
    const [, size, available, target] = match ?? [];
    if (size === undefined || available === undefined || target === undefined || Number(size) === 0) return [];
    return [{ target, size: Number(size), available: Number(available) }];
  });
}
