/**
 * The ceiling: a bare koa server with TLS that reads each body and answers. Optionally checks one Ed25519 signature per request, as v2 must.
 *   node ceiling.mjs CERTIFICATE KEY PORT [signature]
 */
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import Koa from 'koa';

const [certificate = '', key = '', port = '0', signature] = process.argv.slice(2);
const pair = generateKeyPairSync('ed25519');
const message = Buffer.alloc(300, 'a');
const signed = sign(null, message, pair.privateKey);

const app = new Koa();
app.use(async (ctx) => {
  const chunks: Buffer[] = [];
  for await (const chunk of ctx.req) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (signature !== undefined && !verify(null, message, pair.publicKey, signed)) throw new Error('cannot verify');
  ctx.type = 'application/json';
  ctx.body = JSON.stringify({ status: 'ok', bytes: body.length });
});
createServer({ cert: readFileSync(certificate), key: readFileSync(key) }, app.callback()).listen(
  Number(port),
  '127.0.0.1',
  () => console.log('ready'),
);
process.on('SIGTERM', () => process.kill(process.pid, 'SIGKILL'));
