/** Where a proxy is, without the name and password that its URL may hold. */
export interface ProxyPlace {
  /** undefined where the text is no URL: then nothing of it is told */
  host?: string;
  port?: number;
}

const PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** `http://user:password@proxy.example:3128/`, or `proxy.example:3128` as many programs take it. @returns undefined for no proxy at all */
export function placeOf(text: string): ProxyPlace | undefined {
  const written = text.trim();
  if (written === '' || /^(?:DIRECT|none|false|_none_)$/i.test(written)) return undefined;
  // A password with such a character in it ends the server's part too early, and would be told as its name and port.
  if (/[#?/\\].*@/s.test(written.replace(/^[a-z][a-z0-9+.-]*:\/\//i, ''))) return {};
  try {
    const url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(written) ? written : `http://${written}`);
    const port = url.port === '' ? PORTS[url.protocol] : Number(url.port);
    return url.hostname === '' ? {} : { host: url.hostname, ...(port === undefined ? {} : { port }) };
  } catch {
    return {};
  }
}

/** `http_proxy=…` in any case, as the shell, pam_env and environment.d write it, and inside systemd's DefaultEnvironment. */
export function parseEnvironment(text: string): { scheme: string; value: string }[] {
  const found: { scheme: string; value: string }[] = [];
  for (const line of text.split('\n')) {
    if (/^\s*#/.test(line)) continue;
    const assignment = /(?:^|[\s"';])(https?|ftp|all|socks)_proxy\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;"']*))/gi;
    for (const [, scheme = '', ...values] of line.matchAll(assignment)) {
      found.push({ scheme: scheme.toLowerCase(), value: values.find((value) => value !== undefined) ?? '' });
    }
  }
  return found;
}
