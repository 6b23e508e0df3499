/** What templates may ask for. Inside `hosts`: `host` and its `issues`; inside these the rest. */
export const TEMPLATE_NAMES: ReadonlySet<string> = new Set([
  'test',
  'server',
  'count',
  'summary',
  'hosts',
  'host',
  'issues',
  'issue',
  'title',
  'severity',
  'since',
  'reason',
  'remediation',
  'steps',
  'step',
]);

/** File name → its text where the site has none of its own. `.subject` and `.txt` are plain text, `.html` is HTML, `slack.txt` is Slack's mrkdwn. */
export const BUILT_IN_TEMPLATES = {
  'mail.subject': '{{#test}}[test] {{/test}}[PenguinDome] {{summary}}\n',
  'mail.txt': `{{#test}}
This is a test message of {{server}}. Nothing is wrong.

{{/test}}
{{summary}}

${listOfHosts('{{severity}}, {{issue}}, since {{since}}')}-- 
PenguinDome at {{server}}. What is open now: penguindome issues list
`,
  'mail.html': htmlPage(
    `{{#test}}
<p><b>This is a test message of {{server}}. Nothing is wrong.</b></p>
{{/test}}
<p>{{summary}}</p>
`,
    '<p style="color:#666">PenguinDome at {{server}}. What is open now: <code>penguindome issues list</code></p>',
  ),
  'user-mail.subject': '{{#test}}[test] {{/test}}Your computer needs your attention: {{summary}}\n',
  'user-mail.txt': `{{#test}}
This is a test message of {{server}}. Nothing is wrong.

{{/test}}
Something about your computer is not as it should be. Please see to it; what to do
is below. These messages stop by themselves soon after it is done.

${listOfHosts('since {{since}}')}-- 
Sent by PenguinDome at {{server}} on behalf of your administrators.
`,
  'user-mail.html': htmlPage(
    `{{#test}}
<p><b>This is a test message of {{server}}. Nothing is wrong.</b></p>
{{/test}}
<p>Something about your computer is not as it should be. Please see to it; what to do is below.
These messages stop by themselves soon after it is done.</p>
`,
    '<p style="color:#666">Sent by PenguinDome at {{server}} on behalf of your administrators.</p>',
  ),
  'slack.txt': `{{#test}}
Test message of {{server}}: nothing is wrong.
{{/test}}
*{{summary}}*
{{#hosts}}
{{host}}
{{#issues}}
• {{severity}}: {{title}} (since {{since}})
{{/issues}}
{{/hosts}}
`,
} as const;

export type TemplateName = keyof typeof BUILT_IN_TEMPLATES;

/** Styles are on the elements: mail programs drop style sheets. */
function htmlPage(head: string, foot: string): string {
  return `<!DOCTYPE html>
<html><body style="font-family:sans-serif;max-width:48em">
${head}{{#hosts}}
<h3>{{host}}</h3>
<ul>
{{#issues}}
<li><b>{{title}}</b> ({{severity}}, {{issue}}, since {{since}})
{{#reason}}
<br>{{reason}}
{{/reason}}
{{#remediation}}
<div style="white-space:pre-wrap;border-left:3px solid #999;padding-left:1em;margin:0.5em 0">{{remediation}}</div>
{{/remediation}}
</li>
{{/issues}}
</ul>
{{/hosts}}
${foot}
</body></html>
`;
}

function listOfHosts(facts: string): string {
  return `{{#hosts}}
{{host}}
{{#issues}}
  * {{title}} (${facts})
{{#reason}}
      {{reason}}
{{/reason}}
{{#steps}}
      > {{step}}
{{/steps}}
{{/issues}}

{{/hosts}}
`;
}
