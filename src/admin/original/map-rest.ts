import type { Section } from './section.ts';

export interface Wanted {
  /** of server.yml, or of an agent's settings */
  path: string;
  value: string | number | boolean;
}

const LEVELS: Readonly<Record<string, string>> = {
  trace: 'debug',
  debug: 'debug',
  info: 'info',
  notice: 'info',
  warning: 'warn',
  warn: 'warn',
  error: 'error',
  critical: 'error',
};
const TO_THE_JOURNAL = 'the server writes to standard output, and systemd keeps it: `journalctl -u penguindome-server`';

/** Of audit, log and local port: what goes to server.yml. Only what the original's settings say themselves. */
export function mapRest(server: Section): Wanted[] {
  const wanted: Wanted[] = [];
  const want = (path: string, value: Wanted['value'] | undefined) => {
    if (value !== undefined) wanted.push({ path, value });
  };
  const local = server.at('local_port');
  if (typeof local === 'number' && Number.isInteger(local) && local > 0 && local < 65536) want('local_port', local);
  else if (local !== undefined) server.wrong('local_port', 'a port from 1 to 65535');
  const cron = server.below('audit_cron');
  want('audit.enabled', cron.flag('enabled'));
  want('audit.mail', cron.text('email'));
  cron.rest('the audit has no such setting here');
  const logging = server.below('logging');
  const level = logging.text('level')?.toLowerCase() ?? server.text('loglevel')?.toLowerCase();
  if (level !== undefined && LEVELS[level] === undefined) logging.wrong('level', Object.keys(LEVELS).join(', '));
  want('log.level', level === undefined ? undefined : LEVELS[level]);
  logging.rest(TO_THE_JOURNAL);
  for (const [key, why] of Object.entries(NOT_HERE)) if (server.at(key) !== undefined) server.leave(key, why);
  server.rest('PenguinDome knows no such key');
  return wanted;
}

const ADVISORIES =
  "Arch Linux's advisories are a folder of files here: `advisories` in the settings (docs/checks.md says how to fill it)";

const NOT_HERE: Readonly<Record<string, string>> = {
  secret_keeping:
    'there is no secret-keeping yet; what hosts sent encrypted stays so, and the key in server/keyring opens it',
  support_arch_linux: ADVISORIES,
  arch_security_updates: ADVISORIES,
  server_url: 'the URL is a setting of clients',
  geolocation_api_key: 'the key is a setting of clients',
};
