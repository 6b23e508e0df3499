import type { ServerSettings } from './server-settings.ts';

export interface TlsFiles {
  /** PEM, with its chain */
  certificate: string;
  /** PEM */
  key: string;
}

type Tls = ServerSettings['ports'][number]['tls'];

/** All certificates of a port: first the one that everybody is shown for whom none of the others is. None where it is plain. */
export function certificatesOf(tls: Tls): TlsFiles[] {
  if (tls === false) return [];
  const { also = [], ...first } = tls;
  return [first, ...also];
}
