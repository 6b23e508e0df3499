/**
 * The ceiling: a bare koa server with TLS that reads each body and answers, and stores nothing.
 *   node ceiling.mjs CERTIFICATE KEY PORT bare | signature | signature-all
 * `signature` checks one Ed25519 signature per request, as v2 must; `-all` is a process on each core.
 */
import cluster from 'node:cluster';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { availableParallelism } from 'node:os';
import Koa from 'koa';

const [certificate = '', key = '', port = '0', kind = 'bare'] = process.argv.slice(2);

function serve(): void {
  const pair = generateKeyPairSync('ed25519');
  const message = Buffer.alloc(300, 'a');
  const signed = sign(null, message, pair.privateKey);
  const app = new Koa();
  app.use(async (ctx) => {
    const chunks: Buffer[] = [];
    for await (const chunk of ctx.req) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    if (kind !== 'bare' && !verify(null, message, pair.publicKey, signed)) throw new Error('cannot verify');
    ctx.type = 'application/json';
    ctx.body = JSON.stringify({ status: 'ok', bytes: body.length });
  });
  const tls = { cert: readFileSync(certificate), key: readFileSync(key) };
  createServer(tls, app.callback()).listen(Number(port), '127.0.0.1');
}

if (kind === 'signature-all' && cluster.isPrimary) {
  for (let core = 0; core < availableParallelism(); core++) cluster.fork();
} else {
  serve();
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
}
process.on('SIGTERM', () => process.kill(process.pid, 'SIGKILL'));
