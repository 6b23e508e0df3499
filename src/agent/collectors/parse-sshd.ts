/** `sshd -T`: one keyword and its value a line; a keyword that may be given more than once is a line for each value. */
export function parseSshdConfig(output: string): Record<string, string | string[]> {
  const values = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const match = /^([a-z0-9]+)(?:[ \t]+(.*))?$/.exec(line.trimEnd());
    const [, keyword, value = ''] = match ?? [];
    if (keyword === undefined) continue;
    const before = values.get(keyword);
    // A copy for each line would take minutes for as much output as is read.
    if (before === undefined) values.set(keyword, [value]);
    else before.push(value);
  }
  const sorted = [...values].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    sorted.map(([keyword, [only, ...more]]) => [
      keyword,
      more.length === 0 ? (only ?? '') : [only ?? '', ...more].sort(),
    ]),
  );
}

/** How a listener was started. Its program is not among it: a process may say what it likes about itself. */
export interface Listener {
  /** those of its arguments that change the configuration */
  options: string[];
  /** what they have sshd read (`-f`) */
  files: string[];
  /** false where there are others that change it, which may name a file, a program or a library */
  isClear: boolean;
}

/** Settings (sshd_config(5)) whose values are no names of anything that `sshd -T` opens. Small, as sshd itself compares them. */
const HARMLESS = new Set(
  (
    'acceptenv addressfamily allowagentforwarding allowgroups allowstreamlocalforwarding allowtcpforwarding allowusers authenticationmethods ' +
    'authorizedkeyscommand authorizedkeyscommanduser authorizedkeysfile casignaturealgorithms channeltimeout ciphers clientalivecountmax ' +
    'clientaliveinterval compression denygroups denyusers disableforwarding exposeauthinfo fingerprinthash forcecommand gatewayports ' +
    'gssapiauthentication gssapicleanupcredentials gssapikexalgorithms gssapikeyexchange gssapistorecredentialsonrekey ' +
    'gssapistrictacceptorcheck hostbasedacceptedalgorithms hostbasedacceptedkeytypes hostbasedauthentication ' +
    'hostbasedusesnamefrompacketonly hostkeyalgorithms ignorerhosts ignoreuserknownhosts ipqos kbdinteractiveauthentication ' +
    'challengeresponseauthentication kerberosauthentication kerberosorlocalpasswd kerberosticketcleanup kexalgorithms listenaddress ' +
    'logingracetime loglevel macs maxauthtries maxsessions maxstartups passwordauthentication permitemptypasswords permitlisten permitopen ' +
    'permitrootlogin permittty permittunnel permituserenvironment permituserrc persourcemaxstartups persourcenetblocksize ' +
    'persourcepenalties pidfile port printlastlog printmotd pubkeyacceptedalgorithms pubkeyacceptedkeytypes pubkeyauthentication ' +
    'pubkeyauthoptions rekeylimit requiredrsasize rsaminsize streamlocalbindmask streamlocalbindunlink strictmodes subsystem ' +
    'syslogfacility tcpkeepalive unusedconnectiontimeout usedns usepam versionaddendum x11displayoffset x11forwarding x11uselocalhost'
  ).split(' '),
);

/**
 * Reads /proc/PID/cmdline of a process called sshd.
 * @returns undefined for what is no listener: a connection's process, or one that serves a single connection (`-i`)
 */
export function parseListener(commandLine: string): Listener | undefined {
  const words = commandLine.split(/[\0 ]+/).filter((word) => word !== '');
  // OpenSSH 8.2 and later write their title: `sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups`.
  const start = words[0] === 'sshd:' ? 1 : 0;
  const end = words.indexOf('[listener]');
  const [program, ...args] = words.slice(start, end === -1 ? undefined : end);
  if (program === undefined || !program.startsWith('/') || args.includes('-i')) return undefined;
  return readOptions(args);
}

/** `-f FILE`, `-o OPTION` and `-p PORT`; a title no longer shows where `-o "Port 22"` was one argument. */
function readOptions(args: readonly string[]): Listener {
  const listener: Listener = { options: [], files: [], isClear: true };
  for (const [index, arg] of args.entries()) {
    const match = /^-([fop])(.*)$/.exec(arg);
    const [, flag, joined] = match ?? [];
    if (flag === undefined || joined === undefined) continue;
    const rest = joined === '' ? args.slice(index + 1) : [joined, ...args.slice(index + 1)];
    const [value, next] = rest;
    if (value === undefined) continue;
    const spaced = flag === 'o' && !value.includes('=') && next !== undefined && !next.startsWith('-');
    const whole = spaced ? `${value} ${next}` : value;
    if (flag === 'f') listener.files.push(whole);
    if (!isClear(flag, whole)) listener.isClear = false;
    listener.options.push(`-${flag}`, whole);
  }
  return listener;
}

function isClear(flag: string, value: string): boolean {
  switch (flag) {
    case 'f':
      return value.startsWith('/');
    case 'p':
      return /^\d{1,5}$/.test(value);
    default:
      if (!/^[\x20-\x7e]*$/.test(value)) return false;
      return HARMLESS.has((/^[a-z0-9]+(?=[ =])/i.exec(value)?.[0] ?? '').toLowerCase());
  }
}
