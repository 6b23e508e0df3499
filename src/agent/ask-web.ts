import type { IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { formatDuration } from '../core/duration.ts';
import type { Question, WebAnswer } from './collector.ts';
import { readForeign } from './read-foreign.ts';

const LARGEST = 64 * 1024;
const LARGEST_CERTIFICATES = 1024 * 1024;

/** One request on a connection of its own; redirections are not followed. Both modules are loaded by whoever asks: hardly anybody does. */
export async function askWeb(question: Question, signal: AbortSignal): Promise<WebAnswer> {
  const { url, body, timeout } = question;
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const options = await optionsOf(question, content?.length);
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => reject(new Error(`cannot ask ${url.host}: ${reasonOf(cause)}`, { cause }));
    const asked = request(url, { ...options, signal }, (answer) => {
      readAnswer(answer).then(resolve, fail);
    });
    const late = () => asked.destroy(new Error(`it did not answer within ${formatDuration(timeout)}`));
    const timer = setTimeout(late, timeout);
    asked.on('close', () => clearTimeout(timer));
    asked.on('error', fail);
    asked.end(content);
  });
}

async function optionsOf({ family, ca }: Question, length: number | undefined): Promise<RequestOptions> {
  const trusted = ca === undefined ? undefined : await readForeign(ca, LARGEST_CERTIFICATES);
  if (ca !== undefined && trusted === undefined) throw new Error(`cannot read ${ca}: it does not exist`);
  const headers = length === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': length };
  return {
    agent: false,
    method: length === undefined ? 'GET' : 'POST',
    headers,
    ...(family === undefined ? {} : { family }),
    ...(trusted === undefined ? {} : { ca: trusted }),
  };
}

async function readAnswer(answer: IncomingMessage): Promise<WebAnswer> {
  const pieces: Buffer[] = [];
  let total = 0;
  for await (const piece of answer) {
    const bytes = Buffer.from(piece);
    total += bytes.length;
    if (total > LARGEST) throw new Error(`it answers with more than ${LARGEST} bytes`);
    pieces.push(bytes);
  }
  return { status: answer.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') };
}

/** What Node says of a request that failed names hosts and addresses, never the path, which may hold a key. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'the connection broke';
  return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
}
