import type { HostAccess } from '../../collector.ts';
import { readAptConfig } from '../apt-config.ts';
import { unknown } from '../group.ts';
import { namesIn, textOf } from '../lenient.ts';
import { readOsRelease } from '../os-release.ts';
import { parseRelease } from '../parse-apt.ts';
import { type AptConfig, parseAptBoolean } from '../parse-apt-config.ts';
import { type AptSource, parseDeb822Sources, parseOneLineSources } from './parse-apt-sources.ts';
import { type Problem, type Repository, sortedRepositories } from './repository.ts';

const MAIN = '/etc/apt/sources.list';
const FOLDER = '/etc/apt/sources.list.d';
const LISTS = '/var/lib/apt/lists';

export async function aptRepositories(host: HostAccess): Promise<unknown> {
  const names = ((await namesIn(host, FOLDER)) ?? []).filter((name) => /^[\w.-]+\.(?:list|sources)$/.test(name));
  const files = [MAIN, ...names.map((name) => `${FOLDER}/${name}`)];
  const [texts, config, lists, os] = await Promise.all([
    Promise.all(files.map((file) => textOf(host, file))),
    readAptConfig(host),
    namesIn(host, LISTS),
    readOsRelease(host),
  ]);
  if (config === undefined) return unknown('apt-config does not answer');
  const found = files.flatMap((file, index) => {
    const text = texts[index] ?? '';
    const sources = file.endsWith('.sources') ? parseDeb822Sources(text) : parseOneLineSources(text);
    return sources.map((source) => ({ file, source }));
  });
  const whose = own(os);
  return sortedRepositories(
    await Promise.all(
      found.map(async ({ file, source }): Promise<Repository> => {
        const origin = await originOf(host, source, lists ?? []);
        const foreign = origin === undefined || whose === undefined ? 'unknown' : !whose.includes(origin);
        return { name: nameOf(source), file, foreign, problems: problemsOf(source, config) };
      }),
    ),
  );
}

/** Of a path only what is a word: `debian`, `ubuntu-ports`, `amd64`. */
const WORD = /^(?:[a-z][a-z._-]{0,23}\d{0,2}|\.)?$/;
const AUTHORITY = /^(?:[\w.-]+|\[[0-9a-f:.]+\])?(?::\d{1,5})?$/i;
const HIDDEN = '…';

/**
 * A password, or a token in its place, is nobody's business (apt itself wants them in auth.conf), and those who sell packages put one into
 * the path (https://dl.cloudsmith.io/TOKEN/owner/repo/deb/debian): told are the server and the last part of the path.
 */
export function nameOf({ uri, suite }: Pick<AptSource, 'uri' | 'suite'>): string {
  const told = suite.includes('/') ? suite.split('/').map(wordOrNot).join('/') : suite;
  const [, scheme, authority = '', path] = /^([\w+.-]+:)(?:\/\/([^/]*))?(.*)$/.exec(withoutUser(uri)) ?? [];
  // What stands on a disc of its own is no address.
  if (scheme === 'cdrom:') return `${uri} ${told}`;
  if (scheme === undefined || path === undefined) return `${HIDDEN} ${told}`;
  const parts = path.split('/').filter((part) => part !== '');
  // A password with a slash in it ends the name of the server too early.
  const server = AUTHORITY.test(authority) && !path.includes('@') ? authority : HIDDEN;
  const shown = [...(parts.length > 1 ? [HIDDEN] : []), ...parts.slice(-1).map(wordOrNot)].map((part) => `/${part}`);
  const end = path.endsWith('/') ? '/' : '';
  return `${scheme}${uri.startsWith(`${scheme}//`) ? `//${server}` : ''}${shown.join('')}${end} ${told}`;
}

function wordOrNot(part: string): string {
  return WORD.test(part) ? part : HIDDEN;
}

function withoutUser(uri: string): string {
  return uri.replace(/^([\w+.-]+:\/\/)[^/]*@/, '$1');
}

/** Origins that the distribution's own Release files give. */
function own(os: Map<string, string> | undefined): readonly string[] | undefined {
  const debian = ['Debian', 'Debian Backports'];
  const ubuntu = ['Ubuntu', 'UbuntuESM', 'UbuntuESMApps', 'UbuntuFIPS'];
  switch (os?.get('ID')) {
    case 'debian':
      return debian;
    case 'ubuntu':
      return ubuntu;
    case 'linuxmint':
      return ['linuxmint', ...debian, ...ubuntu];
    case 'raspbian':
      return ['Raspbian', 'Raspberry Pi Foundation', ...debian];
    default:
      return undefined;
  }
}

/** As the repository itself says, in the file that apt keeps of it: its name is the URI, quoted. @returns undefined where there is none */
async function originOf(
  host: HostAccess,
  { uri, suite }: AptSource,
  lists: readonly string[],
): Promise<string | undefined> {
  const base = listName(uri, suite);
  const name = lists.find((each) => each === `${base}_InRelease` || each === `${base}_Release`);
  return name === undefined ? undefined : parseRelease((await textOf(host, `${LISTS}/${name}`)) ?? '').origin;
}

/** URItoFileName of apt: without scheme and user, what a file's name cannot hold as `%xx`, and slashes as `_`. */
export function listName(uri: string, suite: string): string {
  const flat = suite.endsWith('/');
  const folder = withoutUser(uri)
    .replace(/^[\w+.-]+:(?:\/\/)?/, '')
    .replace(/\/*$/, '/');
  const path = flat ? `${folder}${suite === '/' ? '' : suite.replace(/^\//, '')}` : `${folder}dists/${suite}`;
  const quoted = path.replace(
    /[\\|{}[\]<>"^~_=!@#$%&*]/g,
    (each) => `%${each.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return quoted.replace(/\/$/, '').replaceAll('/', '_');
}

/** What the source says of itself goes before apt's own settings (sources.list(5), apt-secure(8)). */
function problemsOf({ options }: AptSource, config: AptConfig): Problem[] {
  const trusted = parseAptBoolean(options.get('trusted'));
  const insecure =
    parseAptBoolean(options.get('allow-insecure')) ??
    parseAptBoolean(config.value('Acquire::AllowInsecureRepositories'));
  const unauthenticated = parseAptBoolean(config.value('APT::Get::AllowUnauthenticated')) === true;
  const problems: Problem[] = [];
  // The key itself may stand there, over many lines, or a path, or fingerprints.
  if (trusted !== true && (options.get('signed-by') ?? '').trim() === '') problems.push('any-key');
  if (trusted === true) problems.push('unsigned');
  else if (insecure === true || unauthenticated) problems.push('unsigned-allowed');
  return problems.sort();
}
