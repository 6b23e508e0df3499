/** What an administrator's file of an xfconf channel keeps somebody from changing. */
export interface XfconfLocks {
  channel: boolean;
  /** paths of the properties; a lock does not go for the properties below */
  properties: ReadonlySet<string>;
}

/** `<channel name="xfce4-screensaver" version="1.0" unlocked="root">` (xfconfd's xfconf-backend-perchannel-xml.c) */
export function parseXfconfLocks(xml: string, user: string): XfconfLocks {
  const properties = new Set<string>();
  const path: string[] = [];
  let channel = false;
  for (const [tag, closes, element] of xml.matchAll(/<!--[\s\S]*?-->|<(\/?)(channel|property)\b[^<>]*>/g)) {
    if (element === 'channel') channel ||= isLocked(tag, user);
    if (element !== 'property') continue;
    if (closes === '/') {
      path.pop();
      continue;
    }
    path.push(attributeOf(tag, 'name') ?? '');
    if (isLocked(tag, user)) properties.add(`/${path.join('/')}`);
    if (tag.endsWith('/>')) path.pop();
  }
  return { channel, properties };
}

/**
 * `unlocked` names those who may, `locked` those who may not, with `;` between them; the first counts where there are both. There is no
 * word for everybody: `locked="*"` locks nothing. Members of groups (`@NAME`) are not looked up: who may be one of them may change it.
 */
function isLocked(tag: string, user: string): boolean {
  const unlocked = attributeOf(tag, 'unlocked')?.split(';');
  if (unlocked !== undefined) return !unlocked.some((name) => name === user || name.startsWith('@'));
  return attributeOf(tag, 'locked')?.split(';').includes(user) ?? false;
}

/** @returns undefined where it is empty, too */
function attributeOf(tag: string, name: string): string | undefined {
  const [, double, single] = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(tag) ?? [];
  return double || single || undefined;
}
