import { basename, dirname } from 'node:path';
import { LIBFAKETIME } from './libfaketime.ts';
import type { Machine } from './machine.ts';

const FOLDER = '/opt/faketime';

/** What `bootMachine` is to show inside for `setClock`. */
export const CLOCK_BINDS = { [dirname(LIBFAKETIME ?? '')]: FOLDER };

/**
 * Machines of systemd-nspawn share the kernel's one CLOCK_REALTIME, and no namespace parts it. So libfaketime stands between the C library and
 * all that the machine's systemd starts from now on (timers' services, their shells, the agent's Node, `date`): the clock, and the times of files
 * that they read by stat(2), are another. What the kernel itself stamps, and systemd, which runs already, have the true time.
 * @param offset such as `+2h`; undefined: it is right again
 */
export async function setClock(machine: Machine, offset: string | undefined): Promise<void> {
  const settings = {
    FAKETIME: offset,
    FAKETIME_DISABLE_SHM: '1',
    // A clock that is set does not move this one.
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    LD_PRELOAD: `${FOLDER}/${basename(LIBFAKETIME ?? '')}`,
  };
  if (offset === undefined) await machine.run(['systemctl', 'unset-environment', ...Object.keys(settings)]);
  else
    await machine.run([
      'systemctl',
      'set-environment',
      ...Object.entries(settings).map(([name, value]) => `${name}=${value}`),
    ]);
}
