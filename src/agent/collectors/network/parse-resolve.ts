/** resolv.conf(5): the addresses behind `nameserver`. */
export function parseResolvConf(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line) => /^\s*nameserver\s+([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\s*(?:[#;].*)?$/.exec(line)?.[1] ?? []);
}

/**
 * `resolvectl dns`, `resolvectl dnsovertls` and `resolvectl dnssec`: `Global: 192.0.2.1`, `Link 2 (eth0): no`.
 * @returns by `Global` or the link's number; lines that are continued belong to the one before
 */
export function parseResolvectl(output: string): Map<string, string> {
  const values = new Map<string, string>();
  let last: string | undefined;
  for (const line of output.split('\n')) {
    const [, global, link, value = ''] = /^(?:(Global)|Link (\d+) \(.*?\)):(.*)$/.exec(line) ?? [];
    const scope = global ?? link;
    if (scope !== undefined) values.set(scope, value.trim());
    else if (last !== undefined && /^\s+\S/.test(line))
      values.set(last, `${values.get(last) ?? ''} ${line.trim()}`.trim());
    last = scope ?? last;
  }
  return values;
}
