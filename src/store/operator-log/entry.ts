import * as z from 'zod';
import { canonicalJson, digestOfText } from '../../wire/v2/digest.ts';

/** `previous` of the first entry. */
export const BEGINNING = '0'.repeat(64);

const operator = z.object({
  /** effective user of the command */
  uid: z.int(),
  user: z.string().optional(),
  /** who logged in, as the kernel keeps it through sudo and su (/proc/self/loginuid) */
  login: z.object({ uid: z.int(), user: z.string().optional() }).optional(),
  /** what $SUDO_USER says; whoever has root can say otherwise */
  sudo: z.string().optional(),
  terminal: z.string().optional(),
  /** the SSH client's address, as the environment has it */
  address: z.string().optional(),
});
export type Operator = z.output<typeof operator>;

const began = z.object({
  event: z.literal('began'),
  /** as typed behind `penguindome`: `hosts lost` */
  command: z.string(),
  /** options, then arguments; what may be secret is left out */
  arguments: z.array(z.string()),
  /** that the arguments name */
  hosts: z.array(z.string()),
  who: operator,
  version: z.string(),
  process: z.object({ pid: z.int(), started: z.string().optional() }),
  /** written when the command had ended: before it there were no settings that say where the log is */
  late: z.literal(true).optional(),
});

const ended = z.object({
  event: z.literal('ended'),
  /** number of the entry `began` */
  of: z.int(),
  /** exit status */
  status: z.int(),
  /** first line of what standard error said */
  error: z.string().optional(),
  /** that the command acted on, as they are stored */
  hosts: z.array(z.string()),
  /** where there were more than are listed */
  hosts_total: z.int().optional(),
});

const noticed = z.object({
  event: z.literal('noticed'),
  /** `torn`: a crash left half a line, which was taken away; else the end was not what the head says it was */
  what: z.enum(['torn', 'cut-off', 'replaced']),
  /** of the torn line */
  bytes: z.int().optional(),
  /** what the head said */
  head: z.object({ count: z.int(), hash: z.string() }).optional(),
});

const content = z.discriminatedUnion('event', [began, ended, noticed]);
export type Content = z.output<typeof content>;
export type Began = z.output<typeof began>;
export type Ended = z.output<typeof ended>;

const link = z.object({
  /** 1 for the first */
  number: z.int().min(1),
  at: z.iso.datetime().transform((text) => new Date(text)),
  /** `hash` of the entry before */
  previous: z.string().regex(/^[0-9a-f]{64}$/),
  /** SHA-256 over the canonical JSON (RFC 8785) of all the rest */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Link = z.output<typeof link>;
export type Entry = Link & Content;

/** @returns the entry's one line, without its end, and its hash */
export function writeEntry(
  content: Content,
  { number, at, previous }: Omit<Link, 'hash'>,
): { line: string; hash: string } {
  const bare = { ...content, number, at: at.toISOString(), previous };
  const hash = digestOfText(canonicalJson(bare));
  return { line: canonicalJson({ ...bare, hash }), hash };
}

/**
 * What one line holds. `intact`: to the byte what was written under its hash. Fields that a later version added count for the hash.
 * @returns undefined where the line is no entry at all
 */
export function readEntry(line: string): { entry: Entry; intact: boolean } | undefined {
  try {
    const json: unknown = JSON.parse(line);
    const said = link.safeParse(json);
    const meant = content.safeParse(json);
    if (!said.success || !meant.success || typeof json !== 'object' || json === null) return undefined;
    const bare = Object.fromEntries(Object.entries(json).filter(([key]) => key !== 'hash'));
    const intact = canonicalJson(json) === line && digestOfText(canonicalJson(bare)) === said.data.hash;
    return { entry: { ...said.data, ...meant.data }, intact };
  } catch {
    return undefined;
  }
}
