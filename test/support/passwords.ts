import { type Passwords, passwords } from '../../src/crypto/passwords.ts';

/** Of `password`, by the reference implementation (its test.c): cheap, for tests that hash often. */
export const CHEAP = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';
/** Of `password`, by passlib (its test_handlers_pbkdf2.py). */
export const PASSLIB = '$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ';

export interface Counted {
  passwords: Passwords;
  /** what was done since the last call: `argon2id COST`, `pbkdf2 ROUNDS`, `hash` */
  done(): string[];
  /** how many of them ran at once, at most */
  atOnce(): number;
}

/** The real work, and a list of it. */
export function countedPasswords(): Counted {
  const list: string[] = [];
  let [running, most] = [0, 0];
  const count = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    list.push(what);
    running++;
    most = Math.max(most, running);
    try {
      return await work();
    } finally {
      running--;
    }
  };
  return {
    passwords: {
      hash: (password) => count('hash', () => passwords.hash(password)),
      verifyArgon2id: (hash, password) =>
        count(`argon2id ${hash.split('$')[3]}`, () => passwords.verifyArgon2id(hash, password)),
      derivePbkdf2: (password, salt, rounds) =>
        count(`pbkdf2 ${rounds}`, () => passwords.derivePbkdf2(password, salt, rounds)),
    },
    done: () => list.splice(0),
    atOnce: () => most,
  };
}

export function basic(user: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}
