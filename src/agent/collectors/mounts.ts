/** One line of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export interface Mount {
  /** MAJOR:MINOR; major 0 is no block device */
  device: string;
  /** what of the file system is mounted: `/`, or the folder of a bind mount or subvolume */
  root: string;
  mountpoint: string;
  type: string;
  /** `/dev/vda1`, `server:/export`, `tmpfs` */
  source: string;
  /** options of the file system itself */
  options: string[];
}

/** What is visible, in the order of mounting: where one mount covers another at the same place only the upper one is left. */
export function parseMounts(text: string): Mount[] {
  const visible = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const mount = parseMount(line);
    if (mount === undefined) continue;
    visible.delete(mount.mountpoint);
    visible.set(mount.mountpoint, mount);
  }
  return [...visible.values()];
}

function parseMount(line: string): Mount | undefined {
  const [left, right] = line.split(' - ', 2);
  const [, , device, root, mountpoint] = (left ?? '').split(' ');
  const [type, source, options] = (right ?? '').split(' ');
  if (device === undefined || root === undefined || mountpoint === undefined) return undefined;
  if (type === undefined || source === undefined) return undefined;
  return {
    device,
    root: unescapeOctal(root),
    mountpoint: unescapeOctal(mountpoint),
    type,
    source: unescapeOctal(source),
    options: (options ?? '').split(','),
  };
}

/** Paths of active swap, as /proc/swaps lists them: devices and files. */
export function parseSwaps(text: string): string[] {
  const paths = text
    .split('\n')
    .slice(1)
    .map((line) => line.split(/[ \t]/)[0] ?? '');
  return paths.filter((path) => path !== '').map(unescapeOctal);
}

/** The kernel writes space, tab, newline and backslash as `\040` and so on, in bytes. */
function unescapeOctal(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
