import { accountsDocs } from '../../src/agent/collectors/accounts/docs.ts';
import { agentDocs } from '../../src/agent/collectors/agent/docs.ts';
import { bootDocs } from '../../src/agent/collectors/boot/docs.ts';
import { diskDocs } from '../../src/agent/collectors/disk/docs.ts';
import { DISTRIBUTIONS, type FactDoc, type Tested } from '../../src/agent/collectors/doc.ts';
import { hardwareDocs } from '../../src/agent/collectors/hardware/docs.ts';
import { networkDocs } from '../../src/agent/collectors/network/docs.ts';
import { packagesDocs } from '../../src/agent/collectors/packages/docs.ts';
import { protectionDocs } from '../../src/agent/collectors/protection/docs.ts';
import { sessionDocs } from '../../src/agent/collectors/session/docs.ts';
import { updatesDocs } from '../../src/agent/collectors/updates/docs.ts';
import { formatDuration } from '../../src/core/duration.ts';

/** The docs of all groups, by the collector's name; a new group is a line here. */
export const GROUPS: Readonly<Record<string, readonly FactDoc[]>> = {
  accounts: accountsDocs,
  agent: agentDocs,
  boot: bootDocs,
  disk: diskDocs,
  hardware: hardwareDocs,
  network: networkDocs,
  packages: packagesDocs,
  protection: protectionDocs,
  session: sessionDocs,
  updates: updatesDocs,
};

const WORDS: Readonly<Record<Tested, string>> = { real: 'real', output: 'output', no: 'not yet' };

/** What `npm run docs` puts into docs/collectors.md. @returns Markdown */
export function factTables(groups: Readonly<Record<string, readonly FactDoc[]>> = GROUPS): string {
  const names = Object.keys(groups).sort();
  return names.map((name) => section(name, sorted(groups[name] ?? []))).join('\n');
}

function sorted(docs: readonly FactDoc[]): FactDoc[] {
  return [...docs].sort((a, b) => (a.fact.name < b.fact.name ? -1 : 1));
}

function section(name: string, docs: readonly FactDoc[]): string {
  const header = ['fact', ...DISTRIBUTIONS];
  const rows = docs.map((doc) => [`\`${doc.fact.name}\``, ...DISTRIBUTIONS.map((each) => WORDS[doc.tested[each]])]);
  return [`### ${name}`, '', ...docs.map(entry), '', ...table(header, rows), ''].join('\n');
}

function entry({ fact, tells, reads, root, shape, cost, sources }: FactDoc): string {
  const lines = [
    `- **\`${fact.name}\`**: ${tells}`,
    `  \`${shape}\``,
    `  Reads ${reads.join(', ')}. Without root: ${root === undefined ? 'the same' : root}. ${cost}${
      fact.interval === undefined ? '' : `, looked at again after ${formatDuration(fact.interval)}`
    }.`,
    ...(sources === undefined ? [] : [`  Recorded outputs: ${sources.join('; ')}.`]),
  ];
  return lines.join('\n');
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)];
}
