import { checkDelivery } from './check-delivery-settings.ts';
import type { Contradiction } from './parse-settings-file.ts';
import type { ServerSettings } from './server-settings.ts';

export function checkServerSettings(settings: ServerSettings): Contradiction[] {
  return [
    ...checkPorts(settings),
    ...checkStore(settings),
    ...checkV1(settings),
    ...checkBusiness(settings),
    ...checkLimits(settings),
    ...checkDelivery(settings),
  ];
}

function checkPorts({ ports, local_port }: ServerSettings): Contradiction[] {
  const listeners = ports.map(({ port, host }, index) => ({
    port,
    host,
    path: ['ports', index, 'port'],
    name: `ports.${index}`,
  }));
  const all = [{ port: local_port, host: '127.0.0.1', path: ['local_port'], name: 'local_port' }, ...listeners];
  return all.flatMap((one, index) => {
    // Without a host a listener takes every address of its port; port 0 is whichever is free.
    const other = all
      .slice(0, index)
      .find(
        ({ port, host }) =>
          port !== 0 && port === one.port && (host === undefined || one.host === undefined || host === one.host),
      );
    if (other === undefined) return [];
    return [{ path: one.path, expected: 'a port of its own', found: `${one.port}, which ${other.name} has` }];
  });
}

function checkStore({ store }: ServerSettings): Contradiction[] {
  if (store.kind !== 'mongo') return [];
  const wrong = store.hosts.flatMap((host, index) =>
    /^(\[[0-9a-fA-F:.]+\]|[^\s:/@,]+)(:\d{1,5})?$/.test(host)
      ? []
      : [{ path: ['store', 'hosts', index], expected: 'a host or host:port' }],
  );
  if (store.user === undefined && store.password_file !== undefined) {
    wrong.push({ path: ['store', 'user'], expected: 'a user beside password_file' });
  }
  return wrong;
}

function checkV1({ v1 }: ServerSettings): Contradiction[] {
  return v1.enabled && v1.client_key === undefined
    ? [{ path: ['v1', 'client_key'], expected: "the file of the original clients' public key, as v1.enabled is true" }]
    : [];
}

function checkBusiness({ audit: { business } }: ServerSettings): Contradiction[] {
  const wrong: Contradiction[] = [];
  if (!isTimeZone(business.time_zone)) {
    wrong.push({ path: ['audit', 'business', 'time_zone'], expected: 'a time zone such as Europe/Berlin or UTC' });
  }
  if (business.from >= business.to) {
    wrong.push({ path: ['audit', 'business', 'to'], expected: `a time after ${business.from}` });
  }
  if (business.days.length === 0) wrong.push({ path: ['audit', 'business', 'days'], expected: 'at least one day' });
  return wrong;
}

function checkLimits({ limits }: ServerSettings): Contradiction[] {
  return limits.decompressed < limits.body
    ? [{ path: ['limits', 'decompressed'], expected: `at least limits.body, ${limits.body}` }]
    : [];
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
