import { seconds } from '../../../core/duration.ts';
import type { HostAccess } from '../../collector.ts';
import type { Fact } from '../group.ts';
import { namesIn, textOf } from '../lenient.ts';
import { parseIni } from '../parse-ini.ts';
import { parseSections, type Sections } from '../parse-sections.ts';
import { parseEnvironment, placeOf } from './parse-proxy.ts';

/** What all users get, or the system itself uses; users' own settings are theirs. */
export const proxy: Fact = { name: 'proxy', look: lookAtProxies };

interface Found {
  from: 'apt' | 'dnf' | 'environment' | 'gnome';
  /** `auto`: a script at an address that says which */
  scheme: string;
  host?: string;
  port?: number;
}

async function lookAtProxies(host: HostAccess): Promise<Found[]> {
  const found = [
    ...(await fromEnvironment(host)),
    ...(await fromApt(host)),
    ...(await fromDnf(host)),
    ...(await fromGnome(host)),
  ];
  const byKey = new Map(found.map((one) => [JSON.stringify(one), one]));
  return [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function foundOf(from: Found['from'], scheme: string, value: string): Found[] {
  const place = placeOf(value);
  return place === undefined ? [] : [{ from, scheme, ...place }];
}

const ENVIRONMENT_FILES = ['/etc/environment', '/etc/profile', '/etc/systemd/system.conf', '/etc/systemd/user.conf'];
const ENVIRONMENT_FOLDERS = [
  '/etc/profile.d',
  '/etc/environment.d',
  '/etc/systemd/system.conf.d',
  '/etc/systemd/user.conf.d',
];

async function fromEnvironment(host: HostAccess): Promise<Found[]> {
  const inFolders = await Promise.all(ENVIRONMENT_FOLDERS.map((folder) => filesIn(host, folder)));
  const texts = await Promise.all([...ENVIRONMENT_FILES, ...inFolders.flat()].map((file) => textOf(host, file)));
  const assignments = texts.flatMap((text) => parseEnvironment(text ?? ''));
  return assignments.flatMap(({ scheme, value }) => foundOf('environment', scheme, value));
}

/** apt's settings nest and override one another: it is the one to say what holds. */
async function fromApt(host: HostAccess): Promise<Found[]> {
  const config = await host.find('apt-config');
  if (config === undefined) return [];
  const wanted = [
    'http',
    'Acquire::http::Proxy',
    'https',
    'Acquire::https::Proxy',
    'auto',
    'Acquire::http::Proxy-Auto-Detect',
  ];
  const { code, stdout } = await host.run(config, ['shell', ...wanted], { timeout: seconds(10) });
  if (code !== 0) return [];
  return stdout.split('\n').flatMap((line) => {
    const [, scheme, value = ''] = /^(http|https|auto)='(.*)'$/.exec(line) ?? [];
    if (scheme === undefined || value === '') return [];
    // What detects is a program of this machine, and no place.
    return scheme === 'auto' ? [{ from: 'apt' as const, scheme }] : foundOf('apt', scheme, value);
  });
}

async function fromDnf(host: HostAccess): Promise<Found[]> {
  const text = await textOf(host, '/etc/dnf/dnf.conf');
  return foundOf(
    'dnf',
    'http',
    parseIni(text ?? '')
      .get('main')
      ?.get('proxy') ?? '',
  );
}

/** The administrator's files of dconf(7): /etc/dconf/db/NAME.d/FILE, compiled into what users start from. */
async function fromGnome(host: HostAccess): Promise<Found[]> {
  const folders = ((await namesIn(host, '/etc/dconf/db')) ?? []).filter((name) => name.endsWith('.d'));
  const files = await Promise.all(folders.map((name) => filesIn(host, `/etc/dconf/db/${name}`)));
  const texts = await Promise.all(files.flat().map((file) => textOf(host, file)));
  return texts.flatMap((text) => gnomeProxies(parseSections(text ?? '')));
}

function gnomeProxies(sections: Sections): Found[] {
  const read = (section: string, key: string) =>
    sections
      .get(section)
      ?.get(key)
      ?.replace(/^'(.*)'$/, '$1') ?? '';
  const mode = read('system/proxy', 'mode');
  if (mode === 'auto') return [{ from: 'gnome', scheme: 'auto' }];
  if (mode !== 'manual') return [];
  return ['ftp', 'http', 'https', 'socks'].flatMap((scheme) => {
    const host = read(`system/proxy/${scheme}`, 'host');
    const port = Number(read(`system/proxy/${scheme}`, 'port'));
    if (host === '') return [];
    const place = placeOf(host)?.host;
    return [
      {
        from: 'gnome' as const,
        scheme,
        ...(place === undefined ? {} : { host: place }),
        ...(port > 0 ? { port } : {}),
      },
    ];
  });
}

async function filesIn(host: HostAccess, folder: string): Promise<string[]> {
  return ((await namesIn(host, folder)) ?? [])
    .filter((name) => !/^\.|~$/.test(name))
    .map((name) => `${folder}/${name}`);
}
