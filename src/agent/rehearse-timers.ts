import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { generateSigningKey, loadSigningKey, type SigningKey } from '../crypto/ed25519.ts';
import { signAnswer } from '../crypto/http-signature.ts';
import { contentDigest } from '../wire/v2/digest.ts';
import { readSignature, SEQUENCE_HEADER } from '../wire/v2/http-signature.ts';
import { SUBMIT } from '../wire/v2/paths.ts';
import { runCommandLine } from './command-line.ts';
import type { AgentContext } from './context.ts';
import { placesOf } from './places.ts';
import { writeUrl } from './write-url.ts';

/**
 * Runs what timers call, in a temporary folder and against an answering port of its own on the loopback device, so that V8 has
 * compiled what such a run needs. Collects nothing of this machine and speaks with nobody else.
 */
export async function rehearseTimers(context: AgentContext): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'penguindome-rehearsal-'));
  const answerKey = loadSigningKey(generateSigningKey());
  const server = await answering(answerKey, context);
  try {
    await pretendEnrolled(folder, server.url, answerKey, context);
    let count = 0;
    const collector = { name: 'rehearsal', describe: '', timeout: 1000, collect: async () => ({ count: ++count }) };
    const quiet = {
      ...context,
      collectors: async () => [collector],
      write: () => undefined,
      writeError: () => undefined,
    };
    // a first report, nothing due, a changed report, an unchanged one, nothing to hand over
    for (const command of ['run', 'run', 'run --now', 'collect', 'submit', 'submit']) {
      if (command === 'collect') count = 1;
      await runCommandLine(quiet, ['--state', folder, ...command.split(' ')]);
    }
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function pretendEnrolled(folder: string, url: string, answerKey: SigningKey, { random }: AgentContext) {
  const places = placesOf({ state: folder });
  await mkdir(dirname(places.trust), { recursive: true });
  await writeFile(places.identity, generateSigningKey(), { mode: 0o600 });
  await writeUrl(places.settings, url);
  const trust = { url, answer_key: answerKey.publicKey, order_key: '', host_id: random.uuid() };
  await writeFile(places.trust, JSON.stringify(trust));
}

interface Answering {
  url: string;
  close(): Promise<void>;
}

/** Acknowledges whatever comes, and has no orders, as a server would. */
async function answering(key: SigningKey, context: AgentContext): Promise<Answering> {
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const { submission } = JSON.parse(body.toString('utf8'));
      const time = context.clock.now().toISOString();
      const common = { epoch: context.random.uuid(), time };
      const said = request.url === SUBMIT ? { status: 'ok', submission, chain: 'rehearsal' } : { status: 'current' };
      const answer = Buffer.from(JSON.stringify({ ...said, ...common }));
      response.writeHead(200, { ...headersFor(key, request, body, answer), 'content-length': answer.length });
      response.end(answer);
    });
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function headersFor(key: SigningKey, { url = '', headers }: IncomingMessage, body: Buffer, answer: Buffer) {
  const sequence = String(headers[SEQUENCE_HEADER]);
  const presented = readSignature(String(headers['signature-input']), String(headers['signature']), []);
  const digest = contentDigest(answer);
  const request = { path: url, contentDigest: contentDigest(body), sequence, signature: presented?.signature ?? body };
  const signed = signAnswer(
    key,
    { status: 200, contentDigest: digest, request },
    { created: Math.floor(Date.now() / 1000) },
  );
  return {
    'content-digest': digest,
    'signature-input': signed['signature-input'],
    signature: signed.signature,
  };
}
