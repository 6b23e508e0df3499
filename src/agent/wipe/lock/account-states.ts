import { parsePasswd } from '../../collectors/accounts/parse-accounts.ts';

/** What of an account decides whether it lets somebody in. No hash: nothing of it is to be kept. */
export interface AccountState {
  name: string;
  uid: number;
  /** `usable`: some password fits; `empty`: none is asked for; `locked`: none fits */
  password: 'usable' | 'empty' | 'locked';
  /** day of the last change, as shadow(5) has it */
  changed: string;
  /** day from which the account has expired, as shadow(5) has it: empty for never */
  expire: string;
}

export function parseAccountStates(passwd: string, shadow: string): AccountState[] {
  const lines = new Map(shadow.split('\n').map((line) => [line.split(':')[0] ?? '', line.split(':')]));
  return parsePasswd(passwd).map(({ name, uid, password }) => {
    const line = lines.get(name);
    const hash = password === 'x' ? line?.[1] : password;
    return { name, uid, password: stateOf(hash), changed: line?.[2] ?? '', expire: line?.[7] ?? '' };
  });
}

function stateOf(hash: string | undefined): AccountState['password'] {
  if (hash === '') return 'empty';
  return hash === undefined || /^[!*]/.test(hash) ? 'locked' : 'usable';
}
