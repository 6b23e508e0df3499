import { parse } from 'yaml';
import * as z from 'zod';
import { OperatorError } from '../../src/core/errors.ts';

const HEADER = /^#cloud-config\s*$/m;

const texts = z.array(z.string()).default([]);
/** Of user-data, what an appliance has a use for. */
const userData = z.looseObject({
  hostname: z.string().optional(),
  fqdn: z.string().optional(),
  ssh_authorized_keys: texts,
  /** the same as penguindome.yml, which counts before the rest */
  penguindome: z.record(z.string(), z.unknown()).default({}),
});
const metaData = z.looseObject({ 'local-hostname': z.string().optional(), hostname: z.string().optional() });
const ethernet = z.looseObject({
  addresses: texts,
  gateway4: z.string().optional(),
  gateway6: z.string().optional(),
  routes: z.array(z.looseObject({ to: z.string(), via: z.string() })).default([]),
  nameservers: z.looseObject({ addresses: texts }).default({ addresses: [] }),
});
const networkConfig = z.looseObject({
  version: z.literal(2, 'expected version: 2').optional(),
  ethernets: z.record(z.string(), ethernet).default({}),
});

const DEFAULT_ROUTES = new Set(['default', '0.0.0.0/0', '::/0']);

/** The files of cloud-init's NoCloud: user-data, and those beside it where there are any. */
export interface NoCloudFiles {
  userData: string;
  metaData?: string | undefined;
  networkConfig?: string | undefined;
}

/** @returns what stands there, as penguindome.yml says it; not checked yet. `ignored`: keys of user-data that nothing here reads */
export function readNoCloud(files: NoCloudFiles): { answers: Record<string, unknown>; ignored: string[] } {
  if (!HEADER.test(files.userData.split('\n', 1)[0] ?? ''))
    throw new OperatorError('cannot use user-data: its first line is not #cloud-config');
  const user = read(userData, 'user-data', files.userData);
  const meta = read(metaData, 'meta-data', files.metaData ?? '');
  const hostName = user.fqdn ?? user.hostname ?? meta['local-hostname'] ?? meta.hostname;
  const found = {
    ...(hostName === undefined ? {} : { host_name: hostName }),
    ...(user.ssh_authorized_keys.length === 0 ? {} : { ssh_keys: user.ssh_authorized_keys }),
    ...networkOf(files.networkConfig ?? ''),
    ...user.penguindome,
  };
  const ignored = Object.keys(user).filter((key) => !(key in userData.shape));
  return { answers: found, ignored };
}

function networkOf(text: string): Record<string, unknown> {
  const whole: unknown = parse(text);
  // cloud-init takes it with `network:` around it, or without
  const wrapped = z.looseObject({ network: z.unknown() }).safeParse(whole);
  const { ethernets } = check(networkConfig, 'network-config', (wrapped.success ? wrapped.data.network : whole) ?? {});
  const all = Object.values(ethernets);
  const some = (key: string, values: string[]) => (values.length === 0 ? {} : { [key]: values });
  const gateways = all.flatMap(({ gateway4, gateway6, routes }) => [
    ...[gateway4, gateway6].filter((each) => each !== undefined),
    ...routes.filter(({ to }) => DEFAULT_ROUTES.has(to)).map(({ via }) => via),
  ]);
  return {
    ...some(
      'addresses',
      all.flatMap(({ addresses }) => addresses),
    ),
    ...some('gateways', gateways),
    ...some(
      'name_servers',
      all.flatMap(({ nameservers }) => nameservers.addresses),
    ),
  };
}

function read<Schema extends z.ZodType>(schema: Schema, file: string, text: string): z.output<Schema> {
  let value: unknown;
  try {
    value = parse(text) ?? {};
  } catch (cause) {
    throw new OperatorError(`cannot use ${file}: it is no YAML`, { cause });
  }
  return check(schema, file, value);
}

function check<Schema extends z.ZodType>(schema: Schema, file: string, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new OperatorError(`cannot use ${file}: ${faults.join('; ')}`);
}
