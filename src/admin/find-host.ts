import { OperatorError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { Store } from '../store/port.ts';

/** @throws OperatorError where no host has that name */
export async function findHost({ hosts }: Pick<Store, 'hosts'>, hostname: string): Promise<Host> {
  const host = await hosts.find(hostname);
  if (host === undefined) throw unknownHost(hostname);
  return host;
}

export function unknownHost(hostname: string): OperatorError {
  return new OperatorError(`cannot find a host named ${hostname}; \`penguindome hosts list\` shows those there are`);
}
