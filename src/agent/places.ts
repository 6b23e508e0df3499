import { chmod, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const DEFAULT_STATE = '/var/lib/penguindome';
const DEFAULT_SETTINGS = '/etc/penguindome/agent.yml';
const PINNED_ADDRESS = '/etc/systemd/system/penguindome-submit.service.d/50-pin-address.conf';
const PACKAGED_PLUGINS = '/usr/lib/penguindome/plugins';

/** Where everything of one agent lies. */
export interface Places {
  state: string;
  /** 0644, without secrets: so that users can see */
  status: string;
  /** for penguindome-tick: when something is due again */
  due: string;
  /** what collectors keep for their next run; root's alone */
  kept: string;
  /** a folder for each plugin, with its state and its cache; root's alone */
  pluginRooms: string;
  /** the collector's; the submitter only reads it */
  spool: { root: string; reports: string; bodies: string; aside: string; journal: string; lock: string };
  /** of whoever asks outside: read by the collector, which may be root, as hostile */
  online: { root: string; lists: string; kept: string; lock: string; due: string };
  /** for whoever asks outside: what the collector takes */
  asks: string;
  /** the submitter's word on what became of reports; read by the collector, which may be root, as hostile */
  acks: string;
  /** the submitter's own */
  submit: { root: string; state: string; answerKeys: string; ticket: string; lock: string; due: string };
  /** what the submitter fetched, and what of ours it handed over; the applier reads it as hostile */
  inbox: string;
  /** the applier's own: a folder for each order, and the ids that it has seen */
  orders: { root: string; seen: string; lock: string; receiptsLock: string; due: string };
  /** what follows from trust.d: order keys, revocations, the highest time seen signed; root's alone */
  orderTrust: { root: string; state: string };
  /** what orders brought; root's alone */
  site: { root: string; plugins: string; settings: string; commands: string; manifest: string; lock: string };
  /** how far a wipe came, and what `unlock` must know; root's alone */
  wipe: string;
  /** what became of orders, for the submitter to hand over */
  results: string;
  /** the chain of receipts; everybody may read it */
  receipts: string;
  settings: string;
  settingsFolder: string;
  identity: string;
  /** the same key, where systemd hands it to a user who may not read that file (LoadCredential=) */
  handedIdentity: string | undefined;
  /** a key that is to become the identity, once the server knows it */
  nextIdentity: string;
  /** a key that is to take over from the identity, whether the server knows it yet or not */
  rotatingIdentity: string;
  trust: string;
  /** the administrator's rules for orders, which no order may change */
  trustFolder: string;
  policy: string;
  operators: string;
  /** what orders brought lies in `site` */
  plugins: { local: string; packaged: string };
  /** drop-in that says which addresses the submitter's unit may speak with; an agent below one folder has no unit */
  pinnedAddress: string | undefined;
  /** whether systemd runs it, by the units of its package */
  hasUnits: boolean;
}

/** @param options.credentials $CREDENTIALS_DIRECTORY */
export function placesOf(options: { state?: string; config?: string; credentials?: string | undefined }): Places {
  const state = options.state ?? DEFAULT_STATE;
  const settings =
    options.config ?? (options.state === undefined ? DEFAULT_SETTINGS : join(options.state, 'etc/agent.yml'));
  const etc = dirname(settings);
  const spool = join(state, 'spool');
  const submit = join(state, 'submit');
  const orders = join(state, 'orders');
  const online = join(state, 'online');
  const site = join(state, 'site');
  return {
    state,
    status: join(state, 'status.json'),
    due: join(state, 'due'),
    kept: join(state, 'kept'),
    pluginRooms: join(state, 'plugins'),
    spool: {
      root: spool,
      reports: join(spool, 'reports'),
      bodies: join(spool, 'bodies'),
      aside: join(spool, 'aside'),
      journal: join(spool, 'collector.json'),
      lock: join(spool, '.lock'),
    },
    online: {
      root: online,
      lists: join(online, 'lists'),
      kept: join(online, 'kept'),
      lock: join(online, '.lock'),
      due: join(online, 'due'),
    },
    asks: join(state, 'asks.json'),
    acks: join(state, 'acks'),
    submit: {
      root: submit,
      state: join(submit, 'state.json'),
      ticket: join(submit, 'tls-ticket.json'),
      answerKeys: join(submit, 'answer-keys.json'),
      lock: join(submit, '.lock'),
      due: join(submit, 'due'),
    },
    inbox: join(state, 'inbox'),
    wipe: join(state, 'wipe'),
    orders: {
      root: orders,
      seen: join(orders, 'seen.json'),
      lock: join(orders, '.lock'),
      receiptsLock: join(orders, '.receipts.lock'),
      due: join(orders, 'due'),
    },
    orderTrust: { root: join(state, 'trust'), state: join(state, 'trust/orders.json') },
    site: {
      root: site,
      plugins: join(site, 'plugins'),
      settings: join(site, 'settings'),
      commands: join(site, 'commands'),
      manifest: join(site, 'manifest.json'),
      lock: join(site, '.lock'),
    },
    results: join(state, 'results'),
    receipts: join(state, 'receipts.jsonl'),
    settings,
    settingsFolder: join(etc, 'agent.d'),
    identity: join(etc, 'identity.key'),
    handedIdentity: options.credentials === undefined ? undefined : join(options.credentials, 'identity.key'),
    nextIdentity: join(etc, 'identity.key.next'),
    rotatingIdentity: join(etc, 'identity.key.rotating'),
    trust: join(etc, 'trust.d/server.json'),
    trustFolder: join(etc, 'trust.d'),
    policy: join(etc, 'trust.d/policy.yml'),
    operators: join(etc, 'trust.d/operators'),
    plugins: { local: join(etc, 'plugins'), packaged: PACKAGED_PLUGINS },
    pinnedAddress: options.state === undefined ? PINNED_ADDRESS : undefined,
    hasUnits: options.state === undefined,
  };
}

/** The collector's folders. Modes are set also under a strange umask. */
export async function makeSpool({ state, spool }: Places): Promise<void> {
  await makeFolder(state, 0o755);
  for (const folder of [spool.root, spool.reports, spool.bodies]) await makeFolder(folder, 0o750);
}

/** The submitter's folders. */
export async function makeSubmit({ state, acks, submit }: Places): Promise<void> {
  await makeFolder(state, 0o755);
  for (const folder of [acks, submit.root]) await makeFolder(folder, 0o700);
}

/** The folder of whoever asks outside. */
export async function makeOnline({ state, online }: Places): Promise<void> {
  await makeFolder(state, 0o755);
  await makeFolder(online.root, 0o750);
}

/** The applier's folders. */
export async function makeOrders({ state, orders, orderTrust, results }: Places): Promise<void> {
  await makeFolder(state, 0o755);
  for (const folder of [orders.root, orderTrust.root]) await makeFolder(folder, 0o700);
  await makeFolder(results, 0o750);
}

/** Leaves a folder that is there as it is: a package or an administrator may have given it other rights. */
export async function makeFolder(path: string, mode: number): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode });
  if (made !== undefined) await chmod(path, mode);
}
