import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { escapeHtml, escapeLine, escapeSlack, escapeText } from '../../src/delivery/escape.ts';
import { loadTemplates } from '../../src/delivery/load-templates.ts';
import { compileTemplate, type TemplateData, TemplateFault } from '../../src/delivery/template.ts';
import { templateData } from '../../src/delivery/template-data.ts';
import { anEntry } from '../support/alerts.ts';
import { scratchFolder } from '../support/scratch.ts';

const KNOWN = new Set(['a', 'b', 'list', 'inner']);
const fill = (text: string, data: TemplateData) => compileTemplate(text, KNOWN)(data, escapeHtml);

const FILLED: [template: string, data: TemplateData, expected: string][] = [
  ['x {{a}} y', { a: '1' }, 'x 1 y'],
  ['{{ a }}{{a}}', { a: '<&"\'>' }, '&#60;&#38;&#34;&#39;&#62;'.repeat(2)],
  ['[{{a}}]', {}, '[]'],
  ['{{#list}}{{a}}{{b}};{{/list}}', { b: 'o', list: [{ a: '1' }, { a: '2', b: 'i' }] }, '1o;2i;'],
  ['{{#list}}{{#inner}}{{a}}{{/inner}}{{/list}}', { a: 'o', list: [{ inner: [{}, { a: 'i' }] }] }, 'oi'],
  ['{{#a}}yes{{/a}}{{^a}}no{{/a}}', { a: '' }, 'no'],
  ['{{#a}}yes{{/a}}{{^a}}no{{/a}}', { a: 'x' }, 'yes'],
  ['{{^list}}none{{/list}}', { list: [] }, 'none'],
  ['1\n  {{#list}}  \n- {{a}}\n{{/list}}\n2', { list: [{ a: 'x' }, { a: 'y' }] }, '1\n- x\n- y\n2'],
  ['{{#a}}\r\nx\r\n{{/a}}\r\n', { a: '1' }, 'x\r\n'],
  ['{{a}}', { a: '{{b}}', b: 'never' }, '{{b}}'],
  ['{ {a} } }}', {}, '{ {a} } }}'],
];

for (const [template, data, expected] of FILLED) {
  test(`${JSON.stringify(template)} with ${JSON.stringify(data)}`, (t) => {
    t.is(fill(template, data), expected);
  });
}

const FAULTS: [template: string, line: number, message: RegExp][] = [
  ['x\n{{unheard}}', 2, /known are a, b, inner, list/],
  ['x\n\n{{#list}}\n', 3, /expected a \{\{\/list\}\}/],
  ['{{#list}}{{/a}}', 1, /expected no \{\{\/a\}\}/],
  ['\n{{/a}}', 2, /expected no/],
  ['a\nb {{constructor}}', 2, /known are/],
  ['a\n{{{a}}}', 2, /cannot read/],
  ['a\n{{a.b}}', 2, /cannot read/],
];

for (const [template, line, message] of FAULTS) {
  test(`${JSON.stringify(template)} is refused, with its line`, (t) => {
    const fault = t.throws(() => compileTemplate(template, KNOWN), { instanceOf: TemplateFault, message });
    t.is(fault?.line, line);
  });
}

test('text from outside ends no line, moves no cursor, and calls nobody', (t) => {
  const nasty = 'a\r\nBcc: x@example.org\u0000\u001b[2J\u202e\u2028<!channel>&amp;';
  t.is(escapeLine(nasty), 'a Bcc: x@example.org[2J<!channel>&amp;');
  t.is(escapeText(nasty), 'a\nBcc: x@example.org[2J<!channel>&amp;');
  t.is(escapeSlack('<!channel> & co'), '&lt;!channel&gt; &amp; co');
  t.is(escapeHtml('<b onclick="`x`">'), '&#60;b onclick=&#34;&#96;x&#96;&#34;&#62;');
  t.is(escapeText('\ud800x'), '\ufffdx');
});

test('the built-in templates say what is wrong, since when, and what to do', async (t) => {
  const { templates, problems } = await loadTemplates(undefined);
  t.deepEqual(problems, []);
  const entries = [
    anEntry({ remediation: 'one\ntwo', reason: 'nothing is reported' }),
    anEntry({ name: 'disk', title: 'A disk is <not> encrypted' }),
    anEntry({ hostname: 'lap-8' }),
  ];
  const data = templateData(entries, { server: 'dome.example', test: false });
  const text = templates['mail.txt'](data, escapeText);
  t.is(
    text,
    `3 issues on 2 hosts

lap-7
  * The firewall is off (high, firewall-disabled, since 2026-11-20 09:00 UTC)
      nothing is reported
      > one
      > two
  * A disk is <not> encrypted (high, disk, since 2026-11-20 09:00 UTC)

lap-8
  * The firewall is off (high, firewall-disabled, since 2026-11-20 09:00 UTC)

-- 
PenguinDome at dome.example. What is open now: penguindome issues list
`,
  );
  const html = templates['mail.html'](data, escapeHtml);
  t.regex(html, /<b>A disk is &#60;not&#62; encrypted<\/b>/);
  t.regex(html, />one\ntwo<\/div>/);
  t.is(templates['mail.subject'](data, escapeLine).trim(), '[PenguinDome] 3 issues on 2 hosts');
  const tested = templateData(entries.slice(0, 1), { server: 'dome.example', test: true });
  t.is(templates['mail.subject'](tested, escapeLine).trim(), '[test] [PenguinDome] lap-7: The firewall is off');
  t.regex(templates['user-mail.txt'](tested, escapeText), /^This is a test message of dome.example/);
  t.regex(templates['slack.txt'](data, escapeSlack), /^\*3 issues on 2 hosts\*\nlap-7\n• high: The firewall is off/);
});

test("a site's own template takes the place of the built-in one; a bad one is named, and does not", async (t) => {
  const folder = await scratchFolder(t);
  await writeFile(join(folder, 'mail.subject'), '{{count}} for us');
  await writeFile(join(folder, 'mail.txt'), 'x\n{{#hosts}}');
  await mkdir(join(folder, 'mail.html'));
  await writeFile(join(folder, 'slack.txt'), 'x'.repeat(65 * 1024));
  const { templates, problems } = await loadTemplates(folder);
  const data = templateData([anEntry()], { server: 'dome.example', test: false });
  t.is(templates['mail.subject'](data, escapeLine), '1 for us');
  t.regex(templates['mail.txt'](data, escapeText), /^lap-7: The firewall is off/);
  t.is(problems.length, 3);
  t.true(problems[0]?.startsWith(`cannot use the template ${folder}/mail.txt:2: expected a {{/hosts}}`), problems[0]);
  t.regex(problems[1] ?? '', /mail\.html: .*; the built-in one is used$/);
  t.regex(problems[2] ?? '', /slack\.txt: it is no regular file of at most 64 KiB/);
});
