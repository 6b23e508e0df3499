import { leadsToRoot } from './root-actions.ts';

/** pklocalauthority(8): stanzas of `Identity=`, `Action=` and `Result…=`. @returns actions that lead to root and are allowed to somebody else */
export function parsePkla(text: string): string[] {
  const actions = new Set<string>();
  for (const stanza of text.split(/^\s*\[.*\]\s*$/m)) {
    const value = (key: string) => new RegExp(`^\\s*${key}\\s*=\\s*(.*?)\\s*$`, 'm').exec(stanza)?.[1];
    const results = ['ResultAny', 'ResultInactive', 'ResultActive'].map(value);
    const others = (value('Identity') ?? '')
      .split(';')
      .filter((who) => who !== '' && who !== 'unix-user:root' && who !== 'unix-user:0');
    if (!results.includes('yes') || others.length === 0) continue;
    for (const action of (value('Action') ?? '').split(';').filter((each) => each !== '')) {
      const [name] = action.split('*');
      if (action === '*') actions.add('*');
      else if (action.includes('*') ? leadsToRoot(name ?? '', true) : leadsToRoot(action)) actions.add(action);
    }
  }
  return [...actions].sort();
}
