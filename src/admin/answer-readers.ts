import { parseDuration } from '../core/duration.ts';
import { isHostname } from '../core/host.ts';

/** @returns the value read, or why it will not do, in the words behind "cannot use …: " */
export type Reader<T> = (text: string) => { value: T } | { fault: string };
export const readAny: Reader<string> = (value) => ({ value });
export const readText: Reader<string> = (value) => (value === '' ? { fault: 'it is empty' } : { value });
export const readYes: Reader<boolean> = (text) =>
  /^(y|yes|n|no)$/i.test(text) ? { value: /^y/i.test(text) } : { fault: 'expected yes or no' };
export const readPort: Reader<number> = (text) =>
  /^\d{1,5}$/.test(text) && Number(text) <= 65535
    ? { value: Number(text) }
    : { fault: 'expected a port from 0 to 65535' };
export const readDuration: Reader<string> = (value) =>
  (parseDuration(value) ?? 0) > 0 ? { value } : { fault: 'expected a number and s, m, h or d, such as 10m' };
export const readMail: Reader<string> = (value) =>
  value === '' || /^[^\s@]+@[^\s@]+$/.test(value) ? { value } : { fault: 'expected a mail address' };
export const readHostName: Reader<string> = (value) =>
  isHostname(value) || /^[0-9a-f:.]*:[0-9a-f:.]+$/i.test(value)
    ? { value }
    : { fault: 'expected a host name or an address' };
export const readLevel = oneOf('debug', 'info', 'warn', 'error');

export const readUrl: Reader<string> = (text) => {
  const value = text.replace(/\/+$/, '');
  return /^https?:\/\/[^/?#@\s]+$/.test(value) && URL.canParse(value)
    ? { value }
    : { fault: 'expected https://host:port, without a path, a user and a password' };
};

export function oneOf<T extends string>(...names: T[]): Reader<T> {
  return (text) => {
    const value = names.find((name) => name === text);
    return value === undefined ? { fault: `expected ${names.join(' or ')}` } : { value };
  };
}
