import { stringify } from 'yaml';
import { messageOf } from '../../src/core/errors.ts';
import { type Answers, answers, parseAnswers } from './answers.ts';
import type { Consoles } from './consoles.ts';

type Key = keyof typeof answers.shape & string;

/** What an answer becomes in penguindome.yml; undefined: it is left out. */
type Reading = (text: string) => unknown;

const list: Reading = (text) => {
  const words = text.split(/[\s,]+/).filter(Boolean);
  return words.length === 0 ? undefined : words;
};
const text: Reading = (answer) => (answer === '' ? undefined : answer);

const QUESTIONS: readonly [Key, string, Reading][] = [
  ['host_name', 'Host name by which agents reach this server (such as dome.example.org):', text],
  ['addresses', 'Addresses with their prefix (such as 192.0.2.10/24; empty: DHCP):', list],
  ['gateways', 'Gateway:', list],
  ['name_servers', 'Name servers:', list],
  [
    'ssh_keys',
    "The administrator's ssh public key (one line, such as ssh-ed25519 AAAA…):",
    (line) => (line === '' ? undefined : [line]),
  ],
];
/** Only where addresses were given. */
const FIXED = new Set<Key>(['gateways', 'name_servers']);

/** Asks until all of it can be used. What is not asked has its default. */
export async function askAnswers(consoles: Consoles): Promise<Answers> {
  consoles.say('');
  consoles.say('PenguinDome: nobody has set this machine up yet, and no disk says how (docs/appliance.md).');
  for (;;) {
    const given: Partial<Record<Key, unknown>> = {};
    for (const [key, question, read] of QUESTIONS) {
      if (FIXED.has(key) && given.addresses === undefined) continue;
      given[key] = await askOne(consoles, key, question, read);
    }
    try {
      return parseAnswers(stringify(given), 'the answers');
    } catch (error) {
      consoles.say(`${messageOf(error)}\nOnce more.`);
    }
  }
}

/** One that cannot be used by itself is asked for again at once. */
async function askOne(consoles: Consoles, key: Key, question: string, read: Reading): Promise<unknown> {
  for (;;) {
    const value = read(await consoles.ask(question));
    const parsed = answers.shape[key].safeParse(value);
    if (parsed.success) return value;
    consoles.say(parsed.error.issues[0]?.message ?? 'that cannot be used');
  }
}
