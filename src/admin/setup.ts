import { lchown, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { StoreUnavailable } from '../core/errors.ts';
import { certificateFingerprint } from '../crypto/certificates.ts';
import type { FileOwner } from '../settings/atomic-write.ts';
import { loadServerSettings, parseServerSettings } from '../settings/load-server-settings.ts';
import { withLock } from '../settings/lock-file.ts';
import { loadServerSecrets } from '../settings/server-secrets.ts';
import type { ServerSettings } from '../settings/server-settings.ts';
import { tlsFolder } from '../settings/tls-folder.ts';
import { openStore } from '../store/open.ts';
import { checkGivenFiles } from './check-given-files.ts';
import type { AdminContext } from './context.ts';
import {
  ensureFolder,
  ensureTlsFolder,
  exists,
  readIfThere,
  removeUnfinished,
  type Step,
  writeNew,
} from './ensure-files.ts';
import { askSetup, hostNameOf, type SetupAnswers, type SetupFlags } from './setup-answers.ts';
import { ensureAnswerKey, ensureAuthority, ensureOrderKey, ensureServerCertificate } from './setup-keys.ts';
import { type Layout, layoutOf, serviceOwner } from './setup-layout.ts';
import { renderSettings } from './setup-settings-file.ts';

/** `penguindome setup`: all that a server needs before it can start. What is there already stays as it is. */
export function setup(context: AdminContext): Command {
  const command = new Command('setup')
    .description('make settings, CA, certificate, keys and the store; what is there already stays')
    .option('--yes', 'ask nothing: flags count, and defaults for the rest')
    .option('--dir <dir>', 'hold everything under one folder, with the settings in DIR/server.yml')
    .addOption(repeatable('--host-name <name>', 'name or address by which agents reach the server (repeatable)'))
    .option('--port <port>', 'port for agents (8443)')
    .option('--local-port <port>', 'port on 127.0.0.1 for health checks (5000)')
    .option('--tls', 'TLS with a certificate made here (the default)')
    .option('--no-tls', 'plain HTTP: only behind a proxy that speaks TLS')
    .option('--certificate <file>', 'TLS with a certificate of your own (PEM, with its chain)')
    .option('--certificate-key <file>', 'the key of that certificate (PEM)')
    .addOption(new Option('--store <kind>', 'where reports are kept').choices(['embedded', 'mongo']))
    .addOption(repeatable('--mongo-host <host>', 'host:port of MongoDB (repeatable)'))
    .option('--mongo-replica-set <name>', 'name of the replica set')
    .option('--mongo-database <name>', 'name of the database (penguindome)')
    .option('--mongo-user <name>', 'user of the database')
    .option('--mongo-password-file <file>', "file that holds the user's password")
    .option('--mongo-tls', 'TLS to MongoDB, whose certificate is signed by a CA that the system trusts')
    .option('--mongo-ca <file>', 'TLS to MongoDB, whose certificate is signed by this CA (PEM)')
    .option('--public-url <url>', 'URL that agents connect to: https://host:port')
    .option('--audit', 'run the audit of issues (the default)')
    .option('--no-audit', 'run no audit')
    .option('--mail <address>', 'who gets what the audit says')
    .option('--collect-interval <duration>', 'how often agents collect (10m)')
    .option('--submit-interval <duration>', 'how often agents submit (1m)')
    .addOption(
      new Option('--log-level <level>', 'how much is logged (info)').choices(['debug', 'info', 'warn', 'error']),
    )
    .option('--v1 [file]', "answer hosts that still run the original client; FILE: the original clients' public key")
    .addHelpText('after', EXAMPLES);
  return command.action((flags: SetupFlags) => runSetup(context, flags));
}

const EXAMPLES = `
Examples:
  penguindome setup                                      ask for everything
  penguindome setup --yes --host-name mdm.example.org    ask for nothing
  penguindome setup --yes --dir ~/penguindome            without root, all in one folder
  penguindome setup --store mongo --mongo-host db1:27017 --mongo-host db2:27017 --mongo-replica-set rs0 --mongo-ca /etc/ssl/db-ca.crt

A run that was interrupted is completed by the next one.`;

function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, before: string[] | undefined) => [
    ...(before ?? []),
    value,
  ]);
}

async function runSetup(context: AdminContext, flags: SetupFlags): Promise<void> {
  const dir = flags.dir === undefined ? undefined : resolve(flags.dir);
  const layout = layoutOf(dir, context.settingsFile());
  const owner = await serviceOwner(dir);
  const answers = (await exists(layout.settings)) ? undefined : await askSetup(flags, context.output);
  if (answers !== undefined) await checkGivenFiles(answers);
  else if (Object.keys(flags).some((flag) => flag !== 'yes' && flag !== 'dir')) {
    context.output.note('The settings were there: flags do not change them. Use penguindome settings set.');
  }
  await ensureFolder(dirname(layout.settings), 0o755);
  const { settings, steps } = await withLock(context, `${layout.settings}.lock`, () =>
    runSteps(context, { layout, owner, answers, flags }),
  );
  await report(context, { layout, settings, steps });
}

interface Plan {
  layout: Layout;
  owner: FileOwner | undefined;
  /** absent where settings are there already */
  answers: SetupAnswers | undefined;
  flags: SetupFlags;
}

/** The settings first: they are the plan that an interrupted run is completed by. */
async function runSteps(context: AdminContext, plan: Plan): Promise<{ settings: ServerSettings; steps: Step[] }> {
  const { layout, owner, flags } = plan;
  await removeUnfinished(dirname(layout.settings));
  const first = await ensureSettings(plan);
  const settings = await loadServerSettings(layout.settings);
  // agents connect to the URL: the certificate must hold its name
  const hostNames = [
    ...new Set([...(plan.answers?.hostNames ?? flags.hostName ?? []), hostNameOf(settings.public_url) ?? 'localhost']),
  ];
  // root's own: who takes the server over must not be able to put another CA there
  await ensureFolder(settings.pki, 0o750, owner === undefined ? undefined : { uid: 0, gid: owner.gid });
  await ensureFolder(settings.keys, 0o700, owner);
  await ensureFolder(settings.state, 0o750, owner);
  for (const folder of settings.checks) await ensureFolder(folder, 0o755);
  const made = ownCertificate(settings);
  const secret = [settings.pki, settings.keys];
  if (made !== undefined) {
    await ensureTlsFolder(settings, owner);
    secret.push(tlsFolder(settings));
  }
  for (const folder of secret) await removeUnfinished(folder);
  const steps = [first];
  const then = async (step: () => Promise<Step>) => {
    context.signal.throwIfAborted();
    steps.push(await step());
  };
  if (made !== undefined) {
    await then(() => ensureAuthority(context, settings.pki, hostNames[0] ?? 'localhost'));
    await then(() => ensureServerCertificate(context, { pki: settings.pki, ...made }, hostNames, owner));
  }
  await then(() => ensureAnswerKey(settings.keys, owner));
  await then(() => ensureOrderKey(context, settings.keys, owner));
  await then(() => ensureStore(context, settings, owner));
  return { settings, steps };
}

async function ensureSettings({ layout, owner, answers }: Plan): Promise<Step> {
  const step = { what: 'settings', path: layout.settings };
  // asked again under the lock: another setup may have been quicker
  if (answers === undefined || (await exists(layout.settings))) return { ...step, outcome: 'there' };
  const text = renderSettings(answers, layout);
  parseServerSettings(text, layout.settings);
  await ensureFolder(layout.keys, 0o700, owner);
  if (answers.store !== 'embedded' && answers.store.password !== undefined && 'text' in answers.store.password) {
    await writeNew(join(layout.keys, 'mongo-password'), `${answers.store.password.text}\n`, 0o600, owner);
  }
  if (answers.v1 !== false && answers.v1.clientKeyFrom !== undefined) {
    const key = await readIfThere(answers.v1.clientKeyFrom);
    await writeNew(join(layout.keys, 'v1-client.asc'), key ?? '', 0o644, owner);
  }
  await writeNew(layout.settings, text, 0o644);
  return { ...step, outcome: 'made' };
}

/** The certificate that setup itself makes: of a listener that names one in the folder for these, or in the CA's, where they were at first. */
function ownCertificate(settings: ServerSettings): { certificate: string; key: string } | undefined {
  const folders = [tlsFolder(settings), settings.pki];
  const own = settings.ports
    .flatMap(({ tls }) => (tls === false ? [] : [tls]))
    .find(({ certificate }) => folders.includes(dirname(certificate)));
  return own;
}

async function ensureStore(
  context: AdminContext,
  settings: ServerSettings,
  owner: FileOwner | undefined,
): Promise<Step> {
  const { store } = settings;
  const embedded = store.kind === 'embedded';
  if (embedded) await ensureFolder(dirname(store.file), 0o700, owner);
  const there = !embedded || (await exists(store.file));
  const { mongoPassword } = await loadServerSecrets(settings);
  const opened = await openStore(store, {
    ...(mongoPassword === undefined ? {} : { password: mongoPassword }),
    clock: context.clock,
    random: context.random,
  }).catch((cause: unknown) => {
    if (!(cause instanceof StoreUnavailable)) throw cause;
    throw new StoreUnavailable(
      `${cause.message}; everything else is set up: run penguindome setup again when the store is there`,
      { cause },
    );
  });
  await opened.close();
  if (embedded && owner !== undefined) await giveAway(dirname(store.file), owner);
  const path = embedded ? store.file : `${store.hosts.join(',')}/${store.database}`;
  return { what: 'store', path, outcome: there ? 'there' : 'made' };
}

/** lchown: whoever owns the folder may have put a link into it. */
async function giveAway(folder: string, owner: FileOwner): Promise<void> {
  for (const name of await readdir(folder)) await lchown(join(folder, name), owner.uid, owner.gid);
}

async function report(
  { output }: AdminContext,
  { layout, settings, steps }: { layout: Layout; settings: ServerSettings; steps: Step[] },
): Promise<void> {
  const changed = steps.some(({ outcome }) => outcome === 'made');
  const ca = ownCertificate(settings) === undefined ? undefined : await readIfThere(join(settings.pki, 'ca.crt'));
  if (output.wantsJson) {
    output.json({
      changed,
      settings: layout.settings,
      public_url: settings.public_url,
      ...(ca === undefined ? {} : { ca_sha256: certificateFingerprint(ca) }),
      steps,
    });
    return;
  }
  output.table(
    ['What', 'Where', ''],
    steps.map(({ what, path, outcome }) => [what, path, outcome === 'made' ? 'made' : 'was there']),
  );
  output.line();
  if (!changed) output.line('Everything was there: nothing was changed.');
  const { client_key } = settings.v1;
  if (client_key !== undefined && !(await exists(client_key))) {
    output.note(`The original's keys are still to come (${client_key}): penguindome migrate`);
  }
  output.line(`Start the server: penguindome-server --config ${layout.settings}`);
  output.line(`Let a machine in: penguindome --config ${layout.settings} enrollment token`);
}
