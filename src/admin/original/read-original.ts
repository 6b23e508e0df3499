import { join } from 'node:path';
import { OperatorError } from '../../core/errors.ts';
import type { Accounts } from '../../settings/accounts.ts';
import { EXIT } from '../exit-codes.ts';
import { mapAccounts, type ServerAuth } from './map-accounts.ts';
import { mapClient } from './map-client.ts';
import { mapPorts, type OriginalPort } from './map-ports.ts';
import { mapRest, type Wanted } from './map-rest.ts';
import { mapStore, type OriginalStore } from './map-store.ts';
import { readInside } from './read-inside.ts';
import { readYaml11 } from './read-yaml-11.ts';
import { type Leftover, type Notes, type Section, sectionOf } from './section.ts';

/** What an original installation's settings say, in our words. */
export interface Original {
  ports: OriginalPort[];
  store: OriginalStore;
  accounts: Accounts;
  serverAuth: ServerAuth;
  /** of server.yml */
  settings: Wanted[];
  /** of agents */
  client: Wanted[];
}

/**
 * @returns `original`: undefined where the folder holds no settings of a server
 * @throws OperatorError naming file and key where something is of no kind that the original could have used
 */
export async function readOriginal(dir: string): Promise<{ original: Original | undefined; leftovers: Leftover[] }> {
  const server = await readSection(dir, 'server/settings.yml');
  const client = await readSection(dir, 'client/settings.yml');
  const wanted = client === undefined ? [] : mapClient(client.section);
  const original = server && mapServer(server, dir, wanted);
  for (const read of [server, client]) refuseWrong(read?.notes);
  return { original, leftovers: [...(server?.notes.leftovers ?? []), ...(client?.notes.leftovers ?? [])] };
}

interface Read {
  section: Section;
  notes: Notes;
}

/** The mappers in this order: the last one tells of all that nobody has asked for. */
function mapServer({ section, notes }: Read, dir: string, client: Wanted[]): Original {
  const ports = mapPorts(section, dir, notes);
  const store = mapStore(section, dir);
  return { ports, store, ...mapAccounts(section), settings: mapRest(section), client };
}

async function readSection(dir: string, name: string): Promise<Read | undefined> {
  const file = join(dir, name);
  const text = await readInside(dir, name);
  if (text === undefined) return undefined;
  const notes: Notes = { file: name, leftovers: [], wrong: [] };
  return { section: sectionOf(readYaml11(text, file), notes), notes };
}

function refuseWrong(notes: Notes | undefined): void {
  if (notes === undefined || notes.wrong.length === 0) return;
  const lines = notes.wrong.map((line) => `  ${line}`);
  throw new OperatorError([`cannot take over ${notes.file}, and changed nothing:`, ...lines].join('\n'), {
    exitCode: EXIT.notSetUp,
  });
}
