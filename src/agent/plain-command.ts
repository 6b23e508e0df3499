export interface PlainCommand {
  name: 'run' | 'submit' | 'collect';
  options: { state?: string; config?: string; json?: true };
  now: boolean;
}

/**
 * A command line in the one form that timers use: a command, and before or behind it whole options.
 * @returns undefined for any other, right or wrong: commands.ts has the say then
 */
export function plainCommand(args: readonly string[]): PlainCommand | undefined {
  const options: PlainCommand['options'] = {};
  let name: PlainCommand['name'] | undefined;
  let now = false;
  for (let at = 0; at < args.length; at++) {
    const word = args[at];
    if (word === '--state' || word === '--config') {
      const value = args[++at];
      if (value === undefined || value === '' || value.startsWith('-')) return undefined;
      options[word === '--state' ? 'state' : 'config'] = value;
    } else if (word === '--json') options.json = true;
    else if (word === '--now' && name === 'run') now = true;
    else if (name === undefined && (word === 'run' || word === 'submit' || word === 'collect')) name = word;
    else return undefined;
  }
  return name === undefined ? undefined : { name, options, now };
}
