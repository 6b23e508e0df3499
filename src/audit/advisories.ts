import { type Fields, getField, isFields, type Value, valueAt } from '../core/value.ts';
import { vercmp } from './vercmp.ts';

/** Worst first. */
const SEVERITIES = ['critical', 'high', 'medium', 'low', 'unknown'] as const;
export type AdvisorySeverity = (typeof SEVERITIES)[number];

/** A vulnerability group of Arch's security tracker (AVG), as far as it says that something is vulnerable. */
export interface Advisory {
  name: string;
  packages: string[];
  severity: AdvisorySeverity;
  /** the first version that is not vulnerable any more; absent where the repositories have none yet */
  fixed?: string;
}

export interface Advisories {
  advisories: Advisory[];
  /** of all of them: another one means that hosts must be judged again */
  digest: string;
}

export function severityOf(text: string): AdvisorySeverity {
  return SEVERITIES.find((each) => each === text.toLowerCase()) ?? 'unknown';
}

/** The path of a host's document that checks find the result at; it is not reported, but made for them. */
export const ADVISORIES = 'advisories';
const INVENTORY = 'plugins.packages.inventory.pacman';

/**
 * @returns what gives a host's document with `advisories` added: `{fixable, unfixed, severities}`. A document without a list of
 *   pacman's packages stays as it is, and so does every one where there are no advisories
 */
export function compileAdvisories(known: Advisories | undefined): (document: Fields) => Fields {
  if (known === undefined) return (document) => document;
  const byPackage = new Map<string, Advisory[]>();
  for (const advisory of known.advisories) {
    for (const name of advisory.packages) byPackage.set(name, [...(byPackage.get(name) ?? []), advisory]);
  }
  return (document) => {
    const installed = valueAt(document, INVENTORY);
    return isFields(installed) ? { ...document, [ADVISORIES]: match(byPackage, installed) } : document;
  };
}

interface Finding {
  name: string;
  version: string;
  severity: AdvisorySeverity;
  /** the newest of those that the advisories ask for */
  fixed: string | undefined;
  advisories: string[];
}

function match(byPackage: ReadonlyMap<string, Advisory[]>, installed: Fields): Fields {
  const findings: Finding[] = [];
  for (const name of Object.keys(installed)) {
    const version = getField(installed, name);
    const about = byPackage.get(name);
    if (about !== undefined && typeof version === 'string') findings.push(...findingsOf(name, version, about));
  }
  findings.sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  const fixable = findings.filter(({ fixed }) => fixed !== undefined);
  const count = (severity: AdvisorySeverity) => fixable.filter((each) => each.severity === severity).length;
  return {
    fixable: listed(fixable),
    unfixed: listed(findings.filter(({ fixed }) => fixed === undefined)),
    severities: Object.fromEntries(SEVERITIES.map((severity): [string, Value] => [severity, count(severity)])),
  };
}

const rank = ({ severity }: Pick<Finding, 'severity'>) => SEVERITIES.indexOf(severity);

/** One for what an update would mend, and one for what none does. */
function findingsOf(name: string, version: string, about: readonly Advisory[]): Finding[] {
  const open = about.filter(({ fixed }) => fixed === undefined || vercmp(version, fixed) < 0);
  return [open.filter(({ fixed }) => fixed !== undefined), open.filter(({ fixed }) => fixed === undefined)].flatMap(
    (some): Finding[] => {
      const [worst] = [...some].sort((a, b) => rank(a) - rank(b));
      if (worst === undefined) return [];
      const fixes = some.flatMap(({ fixed }) => fixed ?? []).sort(vercmp);
      return [
        {
          name,
          version,
          severity: worst.severity,
          fixed: fixes.at(-1),
          advisories: some.map((each) => each.name).sort(),
        },
      ];
    },
  );
}

/** As evidence shows them: what a host calls its version is the host's to choose, and evidence is kept short. */
const LONGEST_LIST = 15;
const LONGEST_VERSION = 40;
const MOST_NAMES = 3;

function listed(findings: readonly Finding[]): string[] {
  const lines = findings.slice(0, LONGEST_LIST).map(({ name, version, severity, fixed, advisories }) => {
    const fix = fixed === undefined ? '' : `, fixed in ${fixed}`;
    const names = [...advisories.slice(0, MOST_NAMES), ...(advisories.length > MOST_NAMES ? ['…'] : [])];
    return `${name} ${version.slice(0, LONGEST_VERSION)}${fix} (${[severity, ...names].join(', ')})`;
  });
  const more = findings.length - lines.length;
  return more === 0 ? lines : [...lines, `and ${more} more`];
}
