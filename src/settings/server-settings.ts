import * as z from 'zod';
import { PROFILES } from '../core/audit.ts';
import { deliverySettings } from './delivery-settings.ts';
import { accessRange, accountName, addressRange, count, duration, path, port } from './scalars.ts';

/** Who may use an endpoint: any one of these lets in. Its own passwords are in the accounts file. */
const access = z.strictObject({
  ipranges: z.array(accessRange).default([]),
  /** of the accounts file's `users` */
  users: z.array(accountName).default([]),
  /** of the accounts file's `groups` */
  groups: z.array(accountName).default([]),
});

const tls = z.strictObject({
  certificate: path,
  key: path,
  /** further certificates of the port: for names that the first one does not hold, or with another kind of key (docs/ports.md) */
  also: z
    .array(z.strictObject({ certificate: path, key: path }))
    .max(7)
    .optional(),
});

const listener = z.strictObject({
  port,
  /** address to bind; all of IPv6 and IPv4 where absent */
  host: z.string().min(1).optional(),
  /** false: plain HTTP */
  tls: z.union([tls, z.literal(false)]),
  /** hosts that still come here get the issue `deprecated-port` */
  deprecated: z.boolean().default(false),
});

const embeddedStore = z.strictObject({ kind: z.literal('embedded'), file: path });
const mongoStore = z.strictObject({
  kind: z.literal('mongo'),
  /** host:port */
  hosts: z.array(z.string().min(1)).min(1),
  replica_set: z.string().min(1).optional(),
  database: z.string().min(1).default('penguindome'),
  user: z.string().min(1).optional(),
  /** file that holds the password; or the credential `mongo-password` in $CREDENTIALS_DIRECTORY */
  password_file: path.optional(),
  tls: z.boolean().default(false),
  ca: path.optional(),
});

/** Where what hosts report is kept. */
export const storeSettings = z.discriminatedUnion('kind', [embeddedStore, mongoStore]);

/** Limits on everything that comes from outside; bytes where nothing else is said. */
const limits = z.strictObject({
  /** of a body as sent */
  body: count.default(4 * 1024 * 1024),
  /** of a body after decompression */
  decompressed: count.default(16 * 1024 * 1024),
  /** of all headers together */
  headers: count.default(16 * 1024),
  /** until the headers are there */
  headers_timeout: duration.default(10_000),
  /** until the whole request is there */
  request_timeout: duration.default(30_000),
  /** of an idle kept connection */
  keep_alive_timeout: duration.default(75_000),
  /** open at once, on each port, by all workers */
  connections: count.default(10_000),
  /** MongoDB nests 100 levels at most, and a report lies some deep in its host's document */
  json_depth: count.max(90).default(64),
  json_keys: count.default(50_000),
  /** enrolments that one address (of IPv6: one /64) may ask for in a minute */
  enroll_rate: count.max(60_000).default(30),
  /** of one host's whole document as stored; the report that would pass it is refused whole */
  document: count.max(15 * 1024 * 1024).default(12 * 1024 * 1024),
});

const v1 = z.strictObject({
  enabled: z.boolean().default(false),
  /** OpenPGP public key that the fleet's original clients sign with */
  client_key: path.optional(),
  /** a signature may be this old, or this far ahead; accepted ones are remembered for that long */
  signature_age: duration.default(86_400_000),
});

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const clockTime = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'expected HH:MM');

const audit = z.strictObject({
  enabled: z.boolean().default(true),
  /** who gets what the audit says */
  mail: z.string().optional(),
  interval: duration.default(3_600_000),
  business: z
    .strictObject({
      time_zone: z.string().default('UTC'),
      days: z.array(z.enum(WEEKDAYS)).default(['mon', 'tue', 'wed', 'thu', 'fri']),
      from: clockTime.default('09:00'),
      to: clockTime.default('17:00'),
      /** YYYY-MM-DD */
      holidays: z.array(z.iso.date()).default([]),
      /** iCalendar files (RFC 5545): their all-day events are holidays, too */
      holiday_files: z.array(path).default([]),
    })
    .prefault({}),
});

export const serverSettings = z.strictObject({
  /** what agents connect to: `https://host:port`, without a path */
  public_url: z
    .url({ protocol: /^https?$/ })
    .regex(/^[^/]+\/\/[^/?#@]+$/, 'expected a URL without a path, a user and a password'),
  ports: z.array(listener).min(1),
  /** on 127.0.0.1, without TLS: /healthz, /readyz and the endpoints; 0 takes a free one */
  local_port: port.default(5000),
  /** workers that answer requests; as many as there are cores where absent */
  processes: count.max(256).optional(),
  /** proxies whose X-Forwarded-For says where a request came from: addresses and ranges */
  trusted_proxies: z.array(addressRange).default([]),
  store: storeSettings,
  /** the server's own folder: the append-only list of identities lives here */
  state: path,
  /** folder of the site's CA: ca.crt, ca.key */
  pki: path,
  /** folder of the server's keys: answer.key (Ed25519), order.asc (OpenPGP) */
  keys: path,
  /** file of users, groups and endpoints' passwords (accounts.ts) */
  accounts: path.default('accounts.yml'),
  /** who may use the endpoints that people and scripts use; who is not named in here may not */
  server_auth: z.strictObject({ download_release: access.optional(), pipe_create: access.optional() }).prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error']).default('info') }).prefault({}),
  limits: limits.prefault({}),
  v1: v1.prefault({}),
  audit: audit.prefault({}),
  /** where alerts go, beside the terminal */
  delivery: deliverySettings.prefault({}),
  /** folders of *.yaml checks beside those that come with the product; a later folder's file replaces one of the same name, or changes it */
  checks: z.array(path).default([]),
  /** the kind of machines here: checks that are for others only are off; all checks where absent */
  checks_profile: z.enum(PROFILES).optional(),
  /** folder of security advisories (*.json as in https://security.archlinux.org/all.json) that hosts' packages are matched against */
  advisories: path.optional(),
  agents: z
    .strictObject({
      /** what new agents are told */
      collect_interval: duration.default(600_000),
      submit_interval: duration.default(60_000),
      /** how long a host's old key stays valid after `penguindome-agent rotate-key` */
      key_overlap: duration.default(604_800_000),
    })
    .prefault({}),
});

/** Paths are absolute here: relative ones count from the settings file's folder. */
export type ServerSettings = z.output<typeof serverSettings>;

export type StoreSettings = ServerSettings['store'];
export type AccessSettings = z.output<typeof access>;
export type Limits = ServerSettings['limits'];
