import { styleText } from 'node:util';

const colored = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
const style = (format, text) => (colored ? styleText(format, text) : text);
const COLORS = { pass: 'green', fail: 'red', unknown: 'yellow' };

/** @param result what runDemo returned */
export function printReport({ host, collectors, results, checks, issues, bytes, refused, seconds, kept }) {
  console.log(`\n${style('bold', `What PenguinDome found on ${host.hostname}`)} (host id ${host.id})\n`);
  for (const { name, outcome, result } of collectors)
    console.log(`  ${name.padEnd(16)} ${outcome.padEnd(10)} ${shorten(result)}`);
  console.log(`\n${style('bold', 'Checks')}: ${checks.pass} pass, ${checks.fail} fail, ${checks.unknown} unknown\n`);
  for (const [name, { answer, evidence, reason }] of Object.entries(results)) {
    console.log(`  ${style(COLORS[answer], answer.padEnd(8))} ${name}${reason === undefined ? '' : ` (${reason})`}`);
    for (const [path, value] of Object.entries(evidence)) console.log(`             ${path} = ${shorten(value)}`);
  }
  console.log(
    `\n${style('bold', 'Open issues')}: ${issues.length === 0 ? 'none' : issues.map(({ name }) => name).join(', ')}`,
  );
  console.log(
    `\n${style('bold', 'On the wire')}: first report ${bytes.first} bytes, second ${bytes.second} (nothing had changed)`,
  );
  console.log(
    `Replaying the first request: ${refused.replay ? 'refused (409 replayed)' : style('red', 'NOT REFUSED')}`,
  );
  console.log(
    `\nTook ${seconds} s.${kept === undefined ? ' Everything is removed again; --keep would leave it running.' : ''}`,
  );
  if (kept !== undefined) {
    console.log(`The server (process ${kept.pid}) still runs at ${kept.url}; its folder is ${kept.folder}.`);
    console.log(`Look around:  build/penguindome --config ${kept.folder}/server/server.yml hosts list`);
    console.log(`End it:       kill ${kept.pid}; rm -r ${kept.folder}`);
  }
  console.log(
    'How to go on: README.md, "Set it up"; your own checks: docs/checks.md; your own collectors: docs/collectors.md.',
  );
}

function shorten(value) {
  const text = JSON.stringify(value);
  return text.length > 88 ? `${text.slice(0, 85)}…` : text;
}
