import { isIP } from 'node:net';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { readHostName, readPort } from './answer-readers.ts';

export const PORT_HELP = 'its number; ADDRESS:NUMBER where several have that number';

/** Whose certificate: files, or names for one that is made. */
export function certificateOptions(command: Command): Command {
  return command
    .option('--certificate <file>', "a certificate of your own (PEM, with its chain) instead of one by the site's CA")
    .option('--certificate-key <file>', 'the key of that certificate (PEM)')
    .addOption(
      new Option('--host-name <name>', 'name or address that it is for (repeatable)').argParser(
        (value: string, before: string[] | undefined) => [...(before ?? []), readAs(readHostName, value)],
      ),
    );
}

export function readAddress(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('Expected an address such as 192.0.2.1 or 2001:db8::1.');
  return text;
}

export function readNumber(text: string): number {
  const port = readAs(readPort, text);
  if (port === 0) throw new InvalidArgumentError('Expected a port from 1 to 65535.');
  return port;
}

function readAs<T>(read: (text: string) => { value: T } | { fault: string }, text: string): T {
  const answer = read(text);
  if ('fault' in answer) throw new InvalidArgumentError(`It is no such thing: ${answer.fault}.`);
  return answer.value;
}
