import type { Command, Option } from 'commander';
import { visibleMembers } from '../../src/admin/completion/completable.ts';
import { HELP } from '../../src/bin/server-options.ts';
import { readHelpText } from './help-text.ts';
import type { Page } from './page.ts';
import { agentTree, everyCommand, operatorTree } from './trees.ts';

type Status = Page['exitStatus'];

/** Every page of the three programs. @param exitCodes docs/exit-codes.md, where the meaning of each status is written */
export function allPages(exitCodes: string): Page[] {
  const operator = { section: 1, exitStatus: readExitCodes(exitCodes, 'penguindome'), files: OPERATOR_FILES } as const;
  const agent = { section: 8, exitStatus: readExitCodes(exitCodes, 'penguindome-agent'), files: AGENT_FILES } as const;
  return [
    ...everyCommand(operatorTree(), visibleMembers).map((command) => pageOf(command, operator)),
    ...everyCommand(agentTree(), visibleMembers).map((command) => pageOf(command, agent)),
    serverPage(readExitCodes(exitCodes, 'penguindome-server')),
  ];
}

const OPERATOR_FILES: Page['files'] = [
  {
    path: '/etc/penguindome/server.yml',
    about: 'settings of the server; --config or PENGUINDOME_CONFIG names another file',
  },
  { path: '/etc/penguindome/pki', about: "the site's certificate authority, and the head of the operator log" },
  { path: '/etc/penguindome/keys', about: "the server's keys" },
  { path: '/var/lib/penguindome-server/tls', about: 'certificates that were made for its ports, with their keys' },
  { path: '/var/lib/penguindome-server/operator.log', about: 'what operators did; penguindome log list shows it' },
];

const AGENT_FILES: Page['files'] = [
  { path: '/etc/penguindome/agent.yml', about: 'settings of the agent' },
  { path: '/etc/penguindome/trust.d', about: 'who may order what on this machine; penguindome-agent trust show' },
  { path: '/var/lib/penguindome/receipts.jsonl', about: 'what was done with orders; penguindome-agent receipts' },
  { path: '/etc/penguindome/plugins', about: "this machine's own collectors; they run with plugins.local: true" },
  { path: '/var/lib/penguindome', about: 'identity, reports that wait, and state' },
];

interface Kind {
  section: 1 | 8;
  exitStatus: Status;
  files: Page['files'];
}

function pageOf(command: Command, { section, exitStatus, files }: Kind): Page {
  const words = wordsOf(command);
  const help = readHelpText(textBehindHelp(command));
  const parent = command.parent;
  const members = visibleMembers(command);
  const pageName = (of: Command) => `${wordsOf(of).join('-')}.${section}`;
  const others = parent === null ? OTHER_PROGRAMS : [pageName(parent), ...siblingsOf(command).map(pageName)];
  const ofHelp = help.lists.filter(({ heading }) => heading !== 'Exit status');
  return {
    name: words.join('-'),
    section,
    about: command.description().replaceAll('\n', ' ').replace(/\.$/, ''),
    synopsis: { command: words.join(' '), rest: command.usage() },
    description: [sentence(command.description()), ...help.paragraphs],
    commands: members.map((member) => ({ name: member.name(), about: member.description(), page: pageName(member) })),
    options: optionsOf(command).map((option) => ({ flags: option.flags, about: explain(option) })),
    lists: [...argumentsOf(command), ...ofHelp],
    exitStatus,
    // the program's own is the table
    exitNote: parent === null || help.exitStatus === undefined ? undefined : sentence(help.exitStatus),
    examples: help.examples,
    files,
    seeAlso: [...others.filter((file) => file !== `${words.join('-')}.${section}`)].sort(),
  };
}

const OTHER_PROGRAMS = ['penguindome.1', 'penguindome-agent.8', 'penguindome-server.8'];

function wordsOf(command: Command): string[] {
  return command.parent === null ? [command.name()] : [...wordsOf(command.parent), command.name()];
}

function siblingsOf(command: Command): Command[] {
  return command.parent === null ? [] : visibleMembers(command.parent).filter((each) => each !== command);
}

/** Options of the program count for every command. */
function optionsOf(command: Command): Option[] {
  const own = command.createHelp().visibleOptions(command);
  const above = command.parent === null ? [] : command.createHelp().visibleGlobalOptions(command);
  return [...own, ...above.filter(({ long }) => long !== '--version')];
}

function explain({ description, argChoices, defaultValue, defaultValueDescription, envVar }: Option): string {
  const preset =
    defaultValueDescription ?? (Array.isArray(defaultValue) && defaultValue.length === 0 ? undefined : defaultValue);
  const notes = [
    ...(argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`]),
    ...(preset === undefined || typeof preset === 'boolean' ? [] : [`default: ${preset}`]),
    ...(envVar === undefined ? [] : [`environment: ${envVar}`]),
  ];
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}

function argumentsOf(command: Command): Page['lists'] {
  const rows = command.registeredArguments.map((each) => ({
    term: each.name(),
    about:
      each.argChoices === undefined ? each.description : `${each.description} (one of ${each.argChoices.join(', ')})`,
  }));
  return rows.length === 0 ? [] : [{ heading: 'Arguments', rows }];
}

/** commander tells it only by printing. */
function textBehindHelp(command: Command): string {
  let said = '';
  command.configureOutput({
    writeOut: (text) => {
      said += text;
    },
  });
  command.outputHelp();
  return said.slice(command.helpInformation().length);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`;
}

function serverPage(exitStatus: Status): Page {
  const { examples, lists, paragraphs } = readHelpText(HELP);
  const [usage = '', ...description] = paragraphs;
  const options = lists.find(({ heading }) => heading === 'Options')?.rows ?? [];
  return {
    name: 'penguindome-server',
    section: 8,
    about: "serves PenguinDome's agents",
    synopsis: { command: 'penguindome-server', rest: usage.replace(/^Usage: penguindome-server /, '') },
    description,
    commands: [],
    options: options.map(({ term, about }) => ({ flags: term.replace(/ ([A-Z]+)$/, ' <$1>'), about })),
    lists: lists.filter(({ heading }) => heading !== 'Options'),
    exitStatus,
    exitNote: undefined,
    examples,
    files: OPERATOR_FILES.filter(({ path }) => !path.endsWith('.log')),
    seeAlso: ['penguindome.1', 'penguindome-agent.8'],
  };
}

/** The rows of one program's table: `| 0 | done | … |`. */
export function readExitCodes(page: string, program: string): Status {
  const [, section = ''] = new RegExp(`^## ${program}$([\\s\\S]*?)(?=^## |$(?![\\s\\S]))`, 'm').exec(page) ?? [];
  return [...section.matchAll(/^\| (\d+) \| (.*?) \|/gm)].map(([, status = '', about = '']) => ({ status, about }));
}
