import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { contentDigest, listDigest } from '../../../src/wire/v2/digest.ts';
import { ENROLL, ROTATE, SUBMIT, UPDATE } from '../../../src/wire/v2/paths.ts';
import { httpRequest } from '../../support/http.ts';
import { FORM, v1Form } from '../../support/v1-client.ts';
import { digestsOf, type V2Client } from '../../support/v2-client.ts';
import { realRandom } from '../../support/world.ts';
import { changed, type OddRequest } from './odd-requests.ts';

/** Sends it as this client. @returns the statuses of what was answered; none where the connection just ended */
export async function sendOddRequest(client: V2Client, url: string, odd: OddRequest): Promise<number[]> {
  try {
    return odd.kind === 'raw' ? await sendRaw(client, url, odd) : [await sendHttp(client, url, odd)];
  } catch {
    return [];
  }
}

async function sendHttp(client: V2Client, url: string, odd: Exclude<OddRequest, { kind: 'raw' }>): Promise<number> {
  switch (odd.kind) {
    case 'report': {
      const report = Object.fromEntries(odd.report.map(([name, value]) => [`plugins.${name || 'n'}`, value]));
      const chain = odd.chain === undefined ? {} : { chain: odd.chain };
      return (await client.submit(report, { quiet: odd.quiet, ...chain })).status;
    }
    case 'fields': {
      // as text: an object's literal would take __proto__ for its prototype
      const fields = odd.fields.map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`).join('');
      const raw = Buffer.from(`${JSON.stringify(goodMessage(client, odd.path)).slice(0, -1) + fields}}`);
      return (await client.send(odd.path, undefined, { raw, gzip: odd.gzip })).status;
    }
    case 'bytes': {
      const good = Buffer.from(JSON.stringify(goodMessage(client, odd.path)));
      const within =
        odd.gzip === 'around'
          ? gzipSync(changed(good, odd.changes))
          : changed(odd.gzip === 'within' ? gzipSync(good) : good, odd.changes);
      const raw = within.subarray(0, within.length - odd.cut);
      const headers = odd.gzip === 'none' ? {} : { 'content-encoding': 'gzip' };
      return (await client.send(odd.path, undefined, { raw, headers })).status;
    }
    case 'headers': {
      const headers = Object.fromEntries(odd.headers);
      return (
        await client.send(odd.path, goodMessage(client, odd.path), { mangle: (all) => Object.assign(all, headers) })
      ).status;
    }
    case 'path':
      return (await httpRequest(url + odd.path, { method: odd.method })).status;
    case 'v1': {
      const fields = odd.fields.map(([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`).join('');
      const text = `{"hostname":"original-7","plugins":{"n":1}${fields}}`;
      const form = await v1Form(text);
      const body = changed(Buffer.from(form), odd.changes);
      return (await httpRequest(url + odd.path, { method: 'POST', headers: FORM, body })).status;
    }
    default:
      return odd satisfies never;
  }
}

function goodMessage(client: V2Client, path: string): object {
  const { hostname, key } = client;
  if (path === UPDATE) return { hostname, release: 0 };
  if (path === ROTATE) return { public_key: key.publicKey, proof: `${'A'.repeat(86)}==` };
  if (path === ENROLL) return { token: 'x'.repeat(32), public_key: key.publicKey, hostname };
  const { list, bodies } = digestsOf({ 'plugins.n': { of: [1, 'two', null] } });
  return {
    submission: realRandom.uuid(),
    chain: client.chain,
    hostname,
    collected_at: new Date().toISOString(),
    digest: listDigest(list),
    list,
    bodies,
  };
}

/** The bytes of a whole request, spoiled, on a connection of their own. */
async function sendRaw(client: V2Client, url: string, odd: OddRequest & { kind: 'raw' }): Promise<number[]> {
  const body = Buffer.from(JSON.stringify(goodMessage(client, SUBMIT)));
  const half = Math.floor(body.length / 2);
  const sent = odd.chunked
    ? [chunk(body.subarray(0, half)), chunk(body.subarray(half)), Buffer.from('0\r\n\r\n')]
    : [body];
  const head = [
    `POST ${SUBMIT} HTTP/1.1`,
    `Host: ${new URL(url).host}`,
    'Content-Type: application/json',
    `Content-Digest: ${contentDigest(body)}`,
    `Penguindome-Sequence: ${client.nextSequence()}`,
    odd.chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`,
    'Connection: close',
    '',
    '',
  ].join('\r\n');
  const whole = changed(Buffer.concat([Buffer.from(head), ...sent]), odd.changes);
  return exchange(Number(new URL(url).port), whole.subarray(0, whole.length - odd.cut));
}

function chunk(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
}

function exchange(port: number, bytes: Buffer): Promise<number[]> {
  return new Promise((resolve) => {
    let answered = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.on('data', (piece) => {
      answered += piece.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () =>
      resolve([...answered.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map((match) => Number(match[1]))),
    );
  });
}
