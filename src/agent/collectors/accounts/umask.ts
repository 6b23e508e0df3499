import { type Fact, unknown } from '../group.ts';
import { readLoginDefs } from './login-defs.ts';
import { readStack } from './pam.ts';

/** login.defs(5), UMASK: where it is not set. */
const BY_DEFAULT = '022';

export const umask: Fact = {
  name: 'umask',
  look: async (host) => {
    const defs = await readLoginDefs(host);
    const modules = await readStack(host, 'login', 'session');
    const pam = modules?.find(({ module }) => module === 'pam_umask');
    const asked = pam?.args.find((arg) => arg.startsWith('umask='))?.slice('umask='.length);
    if (modules === undefined && defs.size === 0)
      return unknown('there is neither /etc/login.defs nor a service login of PAM');
    const mask = asked ?? defs.get('UMASK') ?? BY_DEFAULT;
    return {
      mask: mask.padStart(3, '0'),
      // Without pam_umask login.defs counts for useradd and login alone.
      everywhere: pam !== undefined,
      // pam_umask(8): who has a group of the same name gives it what the owner has, unless `nousergroups`.
      user_groups: defs.get('USERGROUPS_ENAB') === 'yes' && pam !== undefined && !pam.args.includes('nousergroups'),
      ...(defs.has('HOME_MODE') ? { home_mode: defs.get('HOME_MODE') } : {}),
    };
  },
};
