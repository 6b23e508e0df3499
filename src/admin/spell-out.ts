/** `penguindome release --bootstrap` is `penguindome release bootstrap`: commander knows no option that is a command. */
export function spellOut(argv: readonly string[]): string[] {
  const first = argv.indexOf('release');
  const second = argv.indexOf('--bootstrap', first);
  if (first === -1 || second === -1) return [...argv];
  // Options may stand before and between; with another command before it, `release` is none.
  if (!isGlobal(argv.slice(0, first)) || !isGlobal(argv.slice(first + 1, second))) return [...argv];
  return [...argv.slice(0, second), 'bootstrap', ...argv.slice(second + 1)];
}

function isGlobal(words: readonly string[]): boolean {
  const [word, ...more] = words;
  if (word === undefined) return true;
  if (word === '--config') return isGlobal(more.slice(1));
  return (word === '--json' || word.startsWith('--config=')) && isGlobal(more);
}
