import type { Plan } from '../plan.ts';
import type { LockFacts } from './read-lock-facts.ts';

const OUT_OF_REACH = [
  'everything on the disks stays as it is: whoever takes one out, or starts another system, reads what is not encrypted',
  'whoever is root already, or starts the machine with init=/bin/sh',
];

/** Pure: facts to sentences. */
export function planLock({ people, accounts, units, sessions, lingering }: LockFacts): Plan {
  const persons = people.persons.map(({ name }) => name);
  const others = accounts
    .filter(({ name, password }) => password !== 'locked' && !persons.includes(name))
    .map(({ name }) => name);
  const will = [
    ...(persons.length === 0 ? [] : [`let the accounts ${persons.join(', ')} expire, and lock their passwords`]),
    ...(others.length === 0 ? [] : [`lock the passwords of ${others.join(', ')}`]),
    'let nobody but root log in (/etc/nologin)',
    ...units.map(({ name, active }) => `keep ${name} from starting${active ? ', and stop it' : ''}`),
    ...(sessions.length === 0 ? [] : [`end ${sessions.length} sessions`]),
    ...(lingering.length === 0 ? [] : [`end what runs without a session of ${lingering.join(', ')}`]),
    'write down what was before, for unlock',
  ];
  const cannot = [
    ...people.left.map(({ name, why }) => `the account ${name} does not expire: ${why}`),
    ...OUT_OF_REACH,
  ];
  return { method: 'lock', will, cannot };
}
