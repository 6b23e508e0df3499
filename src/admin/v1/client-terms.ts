import { OperatorError } from '../../core/errors.ts';
import { EXIT } from '../exit-codes.ts';
import type { OrderFile } from '../order-files.ts';
import type { Wish } from './make-patch.ts';

/** A one-time command, under a name that the original client takes. */
export function commandWish({ path, content }: OrderFile): Wish {
  const name = path
    .replace(/^commands\//, '')
    .replace(/\.[^.]*$/, '')
    .replace(/[^-A-Za-z0-9_]/g, '-')
    .slice(0, 100);
  return { purpose: 'command', name: name === '' ? 'command' : name, content };
}

/** @throws OperatorError for files that have no place there */
export function patchWish(files: readonly OrderFile[], removed: readonly string[]): Wish {
  return {
    purpose: 'patch',
    files: files.map(({ path, mode, content }) => ({ path: placeOf(path), mode, content })),
    removed: removed.map(placeOf),
  };
}

/** Plugins and commands lie below `client/`; settings are one file there, which is not ours to change. */
function placeOf(path: string): string {
  if (!path.startsWith('settings/')) return `client/${path}`;
  throw new OperatorError(
    `cannot put ${path} on hosts that run the original client: it has one settings file (penguindome release publish --v1); name the other hosts`,
    { exitCode: EXIT.usage },
  );
}
