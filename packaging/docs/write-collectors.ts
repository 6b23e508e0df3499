import { factTables } from './collectors.ts';

const FROM = '<!-- from here on made by npm run docs -->';
const TO = '<!-- as far as here -->';

/** @returns docs/collectors.md with the part between its two marks as the code has it now */
export function collectorsPage(page: string): string {
  const [from, to] = [page.indexOf(FROM), page.indexOf(TO)];
  if (from < 0 || to < from) throw new Error(`cannot write the docs: the page has not the marks ${FROM} and ${TO}`);
  return `${page.slice(0, from + FROM.length)}\n\n${factTables()}\n${page.slice(to)}`;
}
