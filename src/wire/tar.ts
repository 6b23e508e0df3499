/**
 * Tars of releases, as the original client takes them, and of site packages: POSIX ustar (pax(1), "ustar Interchange Format"), regular
 * files and folders only. The same files, modes and time make the same bytes. Written here, since one kind of record is all there is to it.
 */
export interface TarFile {
  /** relative, with `/`; a folder's ends in one */
  path: string;
  /** permission bits */
  mode: number;
  content: Uint8Array;
}

const BLOCK = 512;
const LONGEST_NAME = 100;
const LONGEST_PREFIX = 155;
/** Eleven octal digits. */
const LARGEST_NUMBER = 0o77777777777;

/**
 * @param at seconds since 1970: of every file
 * @throws RangeError for a path that ustar cannot hold
 */
export function makeTar(files: readonly TarFile[], at: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { path, mode, content } of files) {
    parts.push(headerOf(path, mode, content.length, at), content, Buffer.alloc(-content.length & (BLOCK - 1)));
  }
  // two empty blocks end it
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]);
}

/** Whether ustar has room for this path. */
export function fitsTar(path: string): boolean {
  return splitPath(path) !== undefined;
}

function headerOf(path: string, mode: number, size: number, at: number): Uint8Array {
  const split = splitPath(path);
  if (split === undefined) throw new RangeError(`the path ${path} is too long for a tar`);
  const header = Buffer.alloc(BLOCK);
  header.write(split.name, 0);
  header.write(octal(mode & 0o777, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(size, 12), 124);
  header.write(octal(at, 12), 136);
  header.write(' '.repeat(8), 148);
  header.write(path.endsWith('/') ? '5' : '0', 156);
  header.write('ustar\u000000', 257, 'latin1');
  header.write('root', 265);
  header.write('root', 297);
  header.write(octal(0, 8), 329);
  header.write(octal(0, 8), 337);
  header.write(split.prefix, 345);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1');
  return header;
}

function octal(value: number, width: number): string {
  if (value > LARGEST_NUMBER) throw new RangeError(`the number ${value} is too large for a tar`);
  return value.toString(8).padStart(width - 1, '0');
}

/** The name is what follows some `/`; both are counted in bytes. */
function splitPath(path: string): { prefix: string; name: string } | undefined {
  if (Buffer.byteLength(path) <= LONGEST_NAME) return { prefix: '', name: path };
  for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
    const [prefix, name] = [path.slice(0, slash), path.slice(slash + 1)];
    if (Buffer.byteLength(prefix) > LONGEST_PREFIX) return undefined;
    if (name !== '' && Buffer.byteLength(name) <= LONGEST_NAME) return { prefix, name };
  }
  return undefined;
}
