import type { IdleRules } from './idle-rules.ts';

/** `-C FILE` of swayidle's arguments. */
export function configOfSwayidle(args: readonly string[]): string | undefined {
  const at = args.indexOf('-C');
  if (at !== -1) return args[at + 1];
  return args.find((arg) => arg.startsWith('-C') && arg.length > 2)?.slice(2);
}

/** Words as swayidle(1) takes them, from its arguments and its file alike: `timeout 300 'swaylock -f' resume '…' before-sleep '…'`. */
export function addSwayidleEvents(words: readonly string[], rules: IdleRules): void {
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (word === '-C' || word === '-S') at += 1;
    else if (word === 'timeout') {
      const [seconds, command] = [words[at + 1], words[at + 2]];
      // Timeouts of 0 are disabled.
      if (/^\d+$/.test(seconds ?? '') && command !== undefined && Number(seconds) > 0) {
        rules.timeouts.push({ seconds: Number(seconds), command });
      }
      at += words[at + 3] === 'resume' ? 4 : 2;
    } else if (word === 'before-sleep') rules.beforeSleep = words[++at] ?? '';
    else if (word === 'lock') rules.onLock = words[++at] ?? '';
    else if (word === 'after-resume' || word === 'unlock' || word === 'idlehint') at += 1;
  }
}

/** One event a line, quoted as for a shell (wordexp(3)). */
export function addSwayidleFile(text: string, rules: IdleRules): void {
  for (const line of text.split('\n')) {
    if (!line.trimStart().startsWith('#')) addSwayidleEvents(splitWords(line), rules);
  }
}

/** Quotes and backslashes; nothing is expanded. */
export function splitWords(line: string): string[] {
  return [...line.matchAll(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/g)].map(([word]) =>
    word.replace(
      /\\(.)|"((?:[^"\\]|\\.)*)"|'([^']*)'/g,
      (_, escaped, double, single) => escaped ?? single ?? double?.replace(/\\(["\\$`])/g, '$1') ?? '',
    ),
  );
}
