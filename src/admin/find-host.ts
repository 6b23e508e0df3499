import { OperatorError } from '../core/errors.ts';
import type { Host } from '../core/host.ts';
import type { Store } from '../store/port.ts';

/** By its name as it is stored, or, where only one host can be meant, in any case. @throws OperatorError where there is none */
export async function findHost({ hosts }: Pick<Store, 'hosts'>, hostname: string): Promise<Host> {
  const host = (await hosts.find(hostname)) ?? (await findInAnyCase({ hosts }, hostname));
  if (host === undefined) throw unknownHost(hostname);
  return host;
}

/** The same, of a host that can be judged. @throws OperatorError where it has not reported yet, too */
export async function findReportedHost(store: Pick<Store, 'hosts'>, hostname: string): Promise<Host> {
  const host = await findHost(store, hostname);
  if (host.submitted_at !== undefined) return host;
  throw new OperatorError(`cannot judge ${host.hostname}: it has not reported yet`);
}

async function findInAnyCase({ hosts }: Pick<Store, 'hosts'>, wanted: string): Promise<Host | undefined> {
  const [only, ...others] = await hosts.namesakes(wanted);
  if (only === undefined) return undefined;
  if (others.length === 0) return hosts.find(only.hostname);
  const names = [only, ...others].map(({ hostname }) => hostname);
  throw new OperatorError(`cannot tell which host is meant: ${names.join(' or ')}; write its name in that very case`);
}

export function unknownHost(hostname: string): OperatorError {
  return new OperatorError(`cannot find a host named ${hostname}; \`penguindome hosts list\` shows those there are`);
}
