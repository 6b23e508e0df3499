import { type Fields, valueAt } from '../core/value.ts';

/** The path of a host's document that checks find it at; it is not reported, but made for them. */
export const AGENT = 'agent';

/** So many minor releases behind is what a fleet that is upgraded now and then looks like. */
const REASONABLE = 1;

/**
 * @param newest version of this server, and so of the newest agent that it knows
 * @returns what gives a host's document with `agent` added: `{version, newest, outdated}`. One that does not say its agent's version stays
 *   as it is
 */
export function compileAgent(newest: string | undefined): (document: Fields) => Fields {
  const known = newest === undefined ? undefined : parse(newest);
  if (known === undefined) return (document) => document;
  return (document) => {
    const version = valueAt(document, 'plugins.agent.version');
    const own = typeof version === 'string' ? parse(version) : undefined;
    if (typeof version !== 'string' || own === undefined) return document;
    const outdated = own.major < known.major || (own.major === known.major && known.minor - own.minor > REASONABLE);
    return { ...document, [AGENT]: { version, newest: release(known), outdated } };
  };
}

/** What of a server's version makes a difference here: with another one, hosts are judged again. */
export function releaseOf(version: string): string | undefined {
  const parsed = parse(version);
  return parsed && release(parsed);
}

interface Release {
  major: number;
  minor: number;
}

function release({ major, minor }: Release): string {
  return `${major}.${minor}`;
}

function parse(version: string): Release | undefined {
  const match = /^(\d{1,6})\.(\d{1,6})\.\d{1,6}(?:[-+][0-9A-Za-z.+-]{1,100})?$/.exec(version);
  return match === null ? undefined : { major: Number(match[1]), minor: Number(match[2]) };
}
