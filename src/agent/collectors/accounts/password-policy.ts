import type { HostAccess } from '../../collector.ts';
import { type Fact, unknown } from '../group.ts';
import { readLoginDefs } from './login-defs.ts';
import { type PamModule, readStack } from './pam.ts';
import { readSettings } from './settings-file.ts';

export const passwordPolicy: Fact = {
  name: 'password_policy',
  look: async (host) => {
    const [defs, changing, entering] = await Promise.all([
      readLoginDefs(host),
      readStack(host, 'passwd', 'password'),
      readStack(host, 'login', 'auth'),
    ]);
    const days = Number(defs.get('PASS_MAX_DAYS') ?? Number.NaN);
    return {
      quality: changing === undefined ? unknown('PAM has no service passwd') : await qualityOf(host, changing),
      lockout: entering === undefined ? unknown('PAM has no service login') : await lockoutOf(host, entering),
      // useradd's own word for "never" is 99999.
      ...(Number.isInteger(days) && days > 0 && days < 99_999 ? { max_days: days } : {}),
    };
  },
};

/** Module → length that it asks for where nobody says otherwise (its man page), and where it reads its settings. */
const QUALITY: Readonly<Record<string, { length: number; file?: string }>> = {
  pam_pwquality: { length: 8, file: '/etc/security/pwquality.conf' },
  pam_cracklib: { length: 9 },
  pam_passwdqc: { length: 8, file: '/etc/passwdqc.conf' },
  pam_unix: { length: 6 },
};

async function qualityOf(host: HostAccess, stack: readonly PamModule[]) {
  const module = stack.find((each) => each.module !== 'pam_unix' && QUALITY[each.module] !== undefined);
  const chosen = module ?? stack.find((each) => each.module === 'pam_unix');
  const known = QUALITY[chosen?.module ?? ''];
  if (chosen === undefined || known === undefined) return unknown('the service passwd asks no module that we know');
  const settings = await readSettings(host, known.file, chosen.args);
  if (chosen.module === 'pam_passwdqc') return passwdqc(settings);
  const length = Number(settings.get('minlen') ?? known.length);
  const classes = Number(settings.get('minclass') ?? 0);
  return {
    module: chosen.module,
    min_length: Number.isInteger(length) ? length : unknown(`cannot make out minlen of ${chosen.module}`),
    ...(classes > 0 ? { min_classes: classes } : {}),
    // pwquality.conf(5): enforcing = 0 only warns. pam.d(5): what an optional module says is not heard.
    enforced: settings.get('enforcing') !== '0' && chosen.control !== 'optional',
  };
}

/** passwdqc.conf(5): `min=N0,N1,N2,N3,N4`, by kinds of characters: the shortest that any password may be is the smallest number. */
function passwdqc(settings: ReadonlyMap<string, string>) {
  const lengths = (settings.get('min') ?? 'disabled,24,11,8,7').split(',').map(Number);
  const allowed = lengths.filter((length) => Number.isInteger(length));
  return {
    module: 'pam_passwdqc',
    min_length: allowed.length === 0 ? unknown('cannot make out min of passwdqc') : Math.min(...allowed),
    enforced: settings.get('enforce') !== 'none',
  };
}

async function lockoutOf(host: HostAccess, stack: readonly PamModule[]) {
  const module = ['pam_faillock', 'pam_tally2', 'pam_tally'].find((name) => stack.some((each) => each.module === name));
  if (module === undefined) return { module: 'none' };
  const args = stack.filter((each) => each.module === module).flatMap((each) => each.args);
  // Without it failures are neither counted nor acted upon (pam_faillock(8)).
  if (module === 'pam_faillock' && !args.includes('authfail')) return { module: 'none' };
  const settings = await readSettings(
    host,
    module === 'pam_faillock' ? '/etc/security/faillock.conf' : undefined,
    args,
  );
  const deny = Number(settings.get('deny') ?? (module === 'pam_faillock' ? 3 : 0));
  if (deny === 0) return { module: 'none' };
  const after = settings.get('unlock_time') ?? (module === 'pam_faillock' ? '600' : 'never');
  return {
    module,
    deny: Number.isInteger(deny) ? deny : unknown(`cannot make out deny of ${module}`),
    unlock_seconds: /^\d+$/.test(after) && after !== '0' ? Number(after) : 'never',
  };
}
