import type { BSON } from 'mongodb';
import { StoreUnavailable } from '../../core/errors.ts';
import { type ClientParameter, linkChanges, type ParameterName, renamedLink } from '../../core/parameters.ts';
import { parameterOf, strings } from '../records.ts';
import { plainDocument } from './bson.ts';
import type { Collections } from './collections.ts';
import { isDuplicateKey } from './errors.ts';

const LINKS: ParameterName = 'user_clients';

/** Those that are set. Of several documents for one, which an original database may hold, the first counts. */
export async function listParameters(collections: Collections): Promise<ClientParameter[]> {
  await finishLinks(collections);
  return setOnes(collections, {});
}

async function setOnes({ parameters }: Collections, filter: object): Promise<ClientParameter[]> {
  const found = new Map<string, ClientParameter>();
  for await (const document of parameters.find({ $and: [filter, { value: { $ne: null } }] }).sort({ _id: 1 })) {
    const parameter = parameterOf(plainDocument(document));
    if (parameter === undefined) continue;
    const key = `${parameter.parameter} ${parameter.hostname}`;
    if (!found.has(key)) found.set(key, parameter);
  }
  return [...found.values()];
}

export async function setParameter(
  collections: Collections,
  { hostname, parameter, value }: { hostname: string; parameter: ParameterName; value: string[] | null },
  at: Date,
): Promise<string[] | null> {
  await finishLinks(collections);
  const [known] = await setOnes(collections, { hostname, parameter });
  if (parameter === LINKS) await link(collections, { hostname, value }, at);
  else await write(collections, { hostname, parameter, value }, at);
  return known?.value ?? null;
}

const ATTEMPTS = 5;

/**
 * The links of several hosts lie in several documents. So what is wanted is first noted in the host's own document as `linking`, in one
 * statement; the others' follow, then its own, and the note goes. Whoever finds a note finishes what a crash cut short: each step is
 * harmless when repeated.
 */
async function link(
  collections: Collections,
  { hostname, value }: { hostname: string; value: string[] | null },
  at: Date,
): Promise<void> {
  const { parameters } = collections;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      await parameters.updateOne(
        { hostname, parameter: LINKS, linking: null },
        { $set: { linking: { value, at } }, $setOnInsert: { value: null, updated_at: at } },
        { upsert: true },
      );
      await finishLinks(collections);
      return;
    } catch (error) {
      // the unique index: somebody links this very host, and has not finished
      if (!isDuplicateKey(error)) throw error;
      await finishLinks(collections);
    }
  }
  throw new StoreUnavailable(`cannot link ${hostname}: somebody else does so at the same time`);
}

async function finishLinks(collections: Collections): Promise<void> {
  const { parameters } = collections;
  const notes = await parameters.find({ parameter: LINKS, linking: { $ne: null } }).toArray();
  for (const { _id, hostname, linking } of notes) {
    const { value, at } = noteOf(linking);
    const links = new Map(
      (await setOnes(collections, { parameter: LINKS })).map((each) => [each.hostname, each.value]),
    );
    for (const [host, list] of linkChanges(links, String(hostname), value ?? [])) {
      if (host !== hostname) await write(collections, { hostname: host, parameter: LINKS, value: list }, at);
    }
    const own = value === null || value.length === 0 ? null : [...value].sort();
    await parameters.updateOne(
      { _id, 'linking.at': at },
      { $set: { value: own, updated_at: at }, $unset: { linking: '' } },
    );
  }
}

function noteOf(linking: BSON.Document): { value: string[] | null; at: Date } {
  const { value, at } = linking;
  return { value: value === null ? null : strings(value), at: at instanceof Date ? at : new Date(0) };
}

/** What is unset stays with null, as the original leaves it. */
async function write(
  { parameters }: Collections,
  { hostname, parameter, value }: { hostname: string; parameter: ParameterName; value: string[] | null },
  at: Date,
): Promise<void> {
  const change = { $set: { value, updated_at: at } };
  try {
    await parameters.updateOne({ hostname, parameter }, change, { upsert: true });
  } catch (error) {
    // two upserts at once: the document is there now
    if (!isDuplicateKey(error)) throw error;
    await parameters.updateOne({ hostname, parameter }, change);
  }
}

/** The links of others to it, too. What the new name had is of a host that is gone. Harmless when repeated. */
export async function renameParameters(collections: Collections, from: string, to: string, at: Date): Promise<void> {
  const { parameters } = collections;
  await finishLinks(collections);
  for (const { _id, parameter } of await parameters.find({ hostname: from }).toArray()) {
    await parameters.deleteMany({ hostname: to, parameter });
    await parameters.updateOne({ _id }, { $set: { hostname: to } });
  }
  for (const { hostname, value } of await setOnes(collections, { parameter: LINKS, value: from })) {
    await write(collections, { hostname, parameter: LINKS, value: renamedLink(value, from, to) }, at);
  }
}

export async function forgetParameters(collections: Collections, hostname: string, at: Date): Promise<void> {
  await setParameter(collections, { hostname, parameter: LINKS, value: null }, at);
  await collections.parameters.deleteMany({ hostname });
}
