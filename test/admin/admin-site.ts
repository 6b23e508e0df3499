import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { ExecutionContext } from 'ava';
import type { Command } from 'commander';
import type { AdminContext } from '../../src/admin/context.ts';
import { makeOutput } from '../../src/admin/output.ts';
import { loadJudge } from '../../src/audit/judge.ts';
import { openAudit } from '../../src/audit/open-audit.ts';
import { openCheckBook } from '../../src/audit/open-check-book.ts';
import type { Profile } from '../../src/core/audit.ts';
import type { OperatorError } from '../../src/core/errors.ts';
import { makeAuthority, makeServerCertificate } from '../../src/crypto/certificates.ts';
import { generateSigningKey } from '../../src/crypto/ed25519.ts';
import { generateOrderKey } from '../../src/crypto/openpgp.ts';
import { journalLog } from '../../src/delivery/journal.ts';
import { openDelivery } from '../../src/delivery/open-delivery.ts';
import { serverSettings } from '../../src/settings/server-settings.ts';
import { type IdentityLog, openIdentityLog } from '../../src/store/identity-log.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/port.ts';
import { scratchFolder } from '../support/scratch.ts';
import { type StoreKind, temporaryPlace } from '../support/stores.ts';
import { realRandom, standingClock } from '../support/world.ts';

/** A Monday, in office hours. */
export const NOW = new Date('2026-11-23T12:00:00Z');

export interface AdminSite {
  store: Store;
  folder: string;
  identities: IdentityLog;
  clock: ReturnType<typeof standingClock>;
  /** Runs a command as from a shell. @throws as the command does */
  run(command: (context: AdminContext) => Command, ...args: string[]): Promise<{ out: string; err: string }>;
  /** The same with --json, parsed. */
  json(command: (context: AdminContext) => Command, ...args: string[]): Promise<unknown>;
}

/**
 * A server's folder with keys and certificates that are real, and the operator's commands on it.
 * @param own settings of its checks, and of delivery
 */
export async function adminSite(
  t: ExecutionContext,
  kind: StoreKind = 'embedded',
  own: { checks?: string[]; checks_profile?: Profile; server_auth?: object; delivery?: object; v1?: object } = {},
): Promise<AdminSite> {
  const folder = await scratchFolder(t);
  const place = await temporaryPlace(t, kind);
  const clock = standingClock(NOW);
  const store = await place.open({ clock });
  const settings = serverSettings.parse({
    public_url: 'https://dome.example:8443',
    ports: [{ port: 8443, tls: { certificate: join(folder, 'pki/server.crt'), key: join(folder, 'pki/server.key') } }],
    store: place.settings,
    state: join(folder, 'state'),
    pki: join(folder, 'pki'),
    keys: join(folder, 'keys'),
    accounts: join(folder, 'accounts.yml'),
    ...own,
  });
  await makeKeys(folder);
  const { signal } = new AbortController();
  const execute = async (command: (context: AdminContext) => Command, args: string[], json: boolean) => {
    const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
    const output = makeOutput(streams, { wantsJson: () => json, noColor: true, signal });
    const { stdin, stdout } = streams;
    const base = {
      clock,
      random: realRandom,
      output,
      stdin,
      stdout,
      signal,
      settingsFile: () => join(folder, 'server.yml'),
      concerns: () => undefined,
      operator: async () => 'ann as root',
    };
    const productChecks = 'checks.d';
    const context: AdminContext = {
      ...base,
      settings: async () => settings,
      store: async () => store,
      openStore: async (wanted) => {
        const opened = await openStore(wanted, { clock, random: realRandom });
        t.teardown(() => opened.close());
        return opened;
      },
      judge: async () =>
        (await loadJudge([productChecks, ...settings.checks], { profile: settings.checks_profile })).judge,
      checks: () => openCheckBook({ settings, productChecks, clock }),
      audit: () => openAudit({ settings, productChecks, store: async () => store, clock, signal }),
      delivery: () =>
        openDelivery({
          ...{ settings, clock, signal, random: realRandom, version: '0.0.0', credentials: undefined },
          store: async () => store,
          journal: (line) => void streams.stderr.write(line),
          log: journalLog((line) => void streams.stderr.write(line)),
        }),
    };
    await command(context)
      .exitOverride()
      .configureOutput({ writeErr: () => {} })
      .parseAsync(args, { from: 'user' });
    return { out: String(streams.stdout.read() ?? ''), err: String(streams.stderr.read() ?? '') };
  };
  return {
    store,
    folder,
    clock,
    identities: openIdentityLog(join(folder, 'state/identities.log')),
    run: (command, ...args) => execute(command, args, false),
    json: async (command, ...args) => JSON.parse((await execute(command, args, true)).out),
  };
}

async function makeKeys(folder: string): Promise<void> {
  const world = { now: NOW, random: realRandom };
  const authority = await makeAuthority(world, 'test');
  const server = await makeServerCertificate(world, authority, ['localhost']);
  const order = await generateOrderKey({ userId: 'penguindome-server', createdAt: NOW });
  for (const part of ['state', 'pki', 'keys']) await mkdir(join(folder, part));
  await writeFile(join(folder, 'pki/ca.crt'), authority.certificate);
  await writeFile(join(folder, 'pki/server.crt'), server.certificate);
  await writeFile(join(folder, 'keys/answer.key'), generateSigningKey(), { mode: 0o600 });
  await writeFile(join(folder, 'keys/order-public.asc'), order.publicKey);
  await writeFile(join(folder, 'keys/order.asc'), order.secretKey, { mode: 0o600 });
}

/** What a command says when it cannot do it. */
export async function refusal(t: ExecutionContext, running: Promise<unknown>): Promise<string> {
  const error = await t.throwsAsync<OperatorError>(running, { name: 'OperatorError' });
  return error?.message ?? '';
}
