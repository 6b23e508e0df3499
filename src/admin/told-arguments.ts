import type { Command, Option } from 'commander';

/** An option as it was given; no value where it takes none. */
export interface GivenOption {
  option: Option;
  value: string | undefined;
}

/** What of a command line the operator log may hold. */
export interface ToldArguments {
  arguments: string[];
  hosts: string[];
  /** what was left out: it must not come back in an error's text */
  secrets: string[];
}

const LEFT_OUT = '(left out)';
/** Names of what is secret, unless they name the file that holds it. */
const SECRET_NAME = /pass|secret|token|credential|hook|api.?key/i;
const A_FILE = /file|dir/i;
/** A token of ours, whole or in part; what else is long and without a space may be one of somebody's. */
const A_TOKEN = /penguindome1:[A-Za-z0-9_-]*/;
const LONGEST = 500;
/** Options that say how to speak, not what to do. */
const OF_SPEECH = ['--json', '--config'];
const NAMES_HOSTS = /^host(name)?s?$/;

export function tellArguments(command: Command, path: string, given: readonly GivenOption[]): ToldArguments {
  const told: ToldArguments = { arguments: [], hosts: [], secrets: [] };
  const add = (text: string, secret: boolean, before = '') => {
    if (secret) told.secrets.push(text);
    told.arguments.push(`${before}${secret ? LEFT_OUT : shorten(withoutPassword(text))}`);
  };
  for (const { option, value } of given) {
    const name = option.long ?? option.short ?? '';
    if (OF_SPEECH.includes(name)) continue;
    if (value === undefined) told.arguments.push(name);
    else add(value, isSecretOption(option) || A_TOKEN.test(value), `${name}=`);
    if (value !== undefined && NAMES_HOSTS.test(option.attributeName())) told.hosts.push(value);
  }
  const { registeredArguments } = command;
  for (const [index, text] of command.args.entries()) {
    const argument = registeredArguments[Math.min(index, registeredArguments.length - 1)];
    const named = argument?.name() ?? '';
    add(text, isSecretName(named) || A_TOKEN.test(text) || isSecretSetting(path, command.args, index));
    if (NAMES_HOSTS.test(named)) told.hosts.push(text);
  }
  return told;
}

function isSecretOption({ long, flags }: Option): boolean {
  return isSecretName(long ?? '') && !/<(file|dir)/.test(flags);
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !A_FILE.test(name) && name !== 'key-or-token';
}

/** `settings set PATH VALUE`, and what is built like it: the value of a secret path, or one in which keys name secrets. */
function isSecretSetting(path: string, args: readonly string[], index: number): boolean {
  if (!/ set$/.test(path) || index === 0) return false;
  const names = args.slice(0, index).join('.');
  const [last = ''] = names.split('.').slice(-1);
  if (SECRET_NAME.test(names) && !A_FILE.test(last)) return true;
  return (args[index] ?? '')
    .split(/[\s,{}[\]]+/)
    .some((word) => /[:=]/.test(word) && isSecretName(word.split(/[:=]/)[0] ?? ''));
}

function withoutPassword(text: string): string {
  return text.replace(/\/\/[^/@\s]*@/g, '//…@');
}

function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}

/** The first line of what went wrong, without what was left out above. */
export function tellError(text: string, secrets: readonly string[]): string {
  const [line = ''] = text.split('\n');
  return shorten(
    withoutPassword(secrets.filter(Boolean).reduce((said, secret) => said.replaceAll(secret, LEFT_OUT), line)),
  );
}
