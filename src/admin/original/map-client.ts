import { formatDuration, minutes } from '../../core/duration.ts';
import type { Wanted } from './map-rest.ts';
import type { Section } from './section.ts';

const INTERVALS = ['collect_interval', 'submit_interval'];
const KEPT_BY_V1 = 'hosts keep it while they run the original client; new agents learn it from their enrolment token';

/** What the original tells its clients, as far as there is the same of an agent. The keys are those of an agent's settings. */
export function mapClient(client: Section): Wanted[] {
  const wanted: Wanted[] = [];
  const schedule = client.below('schedule');
  for (const key of INTERVALS) {
    const value = schedule.at(key);
    if (value === undefined) continue;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) schedule.wrong(key, 'minutes, at least 1');
    else wanted.push({ path: key, value: formatDuration(minutes(value)) });
  }
  schedule.rest('agents have no such interval');
  if (client.at('server_url') !== undefined) client.leave('server_url', `${KEPT_BY_V1} (public_url)`);
  const ssl = client.below('ssl');
  for (const key of ['ca_path', 'ca_file']) if (ssl.at(key) !== undefined) ssl.leave(key, KEPT_BY_V1);
  ssl.rest('agents have no such setting');
  if (client.at('ssl_ca_file') !== undefined) client.leave('ssl_ca_file', KEPT_BY_V1);
  if (client.at('geolocation_api_key') !== undefined) client.leave('geolocation_api_key', GEOLOCATION);
  for (const key of ['logging', 'loglevel']) {
    if (client.at(key) !== undefined) client.leave(key, 'agents write to standard output, and systemd keeps it');
  }
  client.rest('PenguinDome knows no such key');
  return wanted;
}

const GEOLOCATION =
  'a key is a secret and no setting: put it into a file on each host, and name service and file by collectors.geolocation in agent.yml';
