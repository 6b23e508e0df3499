import { join } from 'node:path';
import { wouldChange } from '../../settings/edit-settings.ts';
import type { ServerSettings } from '../../settings/server-settings.ts';
import type { ServerAuth } from './map-accounts.ts';
import type { Wanted } from './map-rest.ts';
import type { OriginalStore } from './map-store.ts';
import type { TakenPort } from './plan-certificates.ts';
import { CLIENT_KEY } from './plan-keys.ts';
import type { Remark } from './steps.ts';

interface Edit {
  /** dotted */
  path: string;
  /** YAML */
  value: string;
}

/** What is to be otherwise in server.yml. */
export interface NewSettings {
  ports: readonly TakenPort[];
  wanted: readonly Wanted[];
  serverAuth: ServerAuth;
  store?: OriginalStore['settings'];
}

export interface PlannedSettings {
  edits: Edit[];
  /** the paths of those that change something */
  changing: string[];
  remarks: Remark[];
}

/** All of it is one change of one file: it is valid as a whole, or nothing is written. @throws SettingsError where it would not be */
export async function planSettings(
  file: string,
  settings: ServerSettings,
  wish: NewSettings,
): Promise<PlannedSettings> {
  const ports = editPorts(settings, wish.ports);
  const edits: Edit[] = [
    ...ports.edits,
    ...wish.wanted.map(({ path, value }) => edit(path, value)),
    ...editServerAuth(wish.serverAuth),
    ...(wish.store === undefined ? [] : [edit('store', wish.store)]),
    ...editV1(settings),
  ];
  const changing: string[] = [];
  for (const one of edits) if (await changesAlone(file, one)) changing.push(one.path);
  await wouldChange(file, edits);
  return { edits, changing, remarks: ports.remarks };
}

function editV1({ v1, keys }: ServerSettings): Edit[] {
  const clientKey = join(keys, CLIENT_KEY);
  return [...(v1.client_key === clientKey ? [] : [edit('v1.client_key', clientKey)]), edit('v1.enabled', true)];
}

function edit(path: string, value: unknown): Edit {
  return { path, value: JSON.stringify(value) };
}

/** By itself a change may be invalid (v1.enabled without its key), and it surely is one then. */
function changesAlone(file: string, one: Edit): Promise<boolean> {
  return wouldChange(file, [one]).catch(() => true);
}

/** The original's ports come behind those that are there: new agents and hosts of v1 may use different ones. */
function editPorts({ ports }: ServerSettings, taken: readonly TakenPort[]): { edits: Edit[]; remarks: Remark[] } {
  const edits: Edit[] = [];
  const remarks: Remark[] = [];
  for (const one of taken) {
    const there = ports.find(({ port }) => port === one.port);
    if (there === undefined) edits.push(edit(`ports.${ports.length + edits.length}`, one));
    else if (certificateOf(there) !== certificateOf(one)) {
      remarks.push(
        `port ${one.port} is in the settings already, ${said(there)}, and at the original ${said(one)}: it stays as it is here; hosts of v1 trust what they trusted there`,
      );
    }
  }
  return { edits, remarks };
}

function certificateOf({ tls }: Pick<TakenPort, 'tls'>): string | undefined {
  return tls === false ? undefined : tls.certificate;
}

function said({ tls }: Pick<TakenPort, 'tls'>): string {
  return tls === false ? 'without TLS' : `with the certificate ${tls.certificate}`;
}

function editServerAuth(serverAuth: ServerAuth): Edit[] {
  return Object.entries(serverAuth).map(([endpoint, admitted]) => edit(`server_auth.${endpoint}`, admitted));
}
