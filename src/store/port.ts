/**
 * What the product asks of a store. Two adapters answer: embedded/ (libsql, one file) and mongo/ (a server).
 * test/contract/ holds both to these sentences.
 *
 * Terms:
 * - *guard*: the condition in a write's own filter; a write whose guard does not hold changes nothing and says so;
 * - *acknowledged*: on disk (embedded: synced; MongoDB: majority and journaled) before the promise resolves;
 * - *epoch*: UUID of this store's life; a restore starts a new one.
 *
 * Every verb may reject with StoreUnavailable (core/errors.ts); the adapters' own error types stop here.
 * Host documents cross the port with their keys unescaped: `$`, `.`, NUL and `__proto__` come back unchanged.
 */
import type { Judgement } from '../core/check.ts';
import type { OutboxEntry, Target } from '../core/delivery.ts';
import type { Enrollment, Token } from '../core/enrollment.ts';
import type { Acknowledgement, Digest, Host, HostFacts, HostId, HostKey, Identity, KeyId } from '../core/host.ts';
import type { HeldIssue, Issue } from '../core/issue.ts';
import type { Order, OrderReport, OrderState, OrderTarget, ReceiptsHead } from '../core/order.ts';
import type { ClientParameter, ParameterName } from '../core/parameters.ts';
import type { Patch, PatchRecord } from '../core/patch.ts';
import type { TrailRecord } from '../core/trail.ts';
import type { Fields } from '../core/value.ts';

export interface Store {
  readonly kind: 'embedded' | 'mongo';
  readonly hosts: HostStore;
  readonly enrollments: EnrollmentStore;
  readonly tokens: TokenStore;
  readonly issues: IssueStore;
  readonly trail: TrailStore;
  readonly patches: PatchStore;
  readonly orders: OrderStore;
  readonly parameters: ParameterStore;
  readonly outbox: OutboxStore;
  readonly signatures: SignatureStore;
  readonly upkeep: UpkeepStore;
  /** @returns the store's state as it is now; rejects where the store cannot be reached within a few seconds */
  state(): Promise<StoreState>;
  close(): Promise<void>;
}

export interface StoreState {
  epoch: string;
  /** set while a restore is under way: every request is to be answered 503 */
  maintenance_since?: Date;
}

/** What a guarded write on a host of v2 found. `spent`: the sequence number is used up now. */
export type Spent =
  | { outcome: 'spent'; host: Host & { identity: Identity } }
  | { outcome: 'replayed'; last: number }
  | { outcome: 'pending'; enrollment: Enrollment }
  | { outcome: 'revoked' }
  | { outcome: 'unknown' };

/** The guard that all writes of one v2 request share. */
export interface Speaker {
  key_id: KeyId;
  /** must be above the last used one; is used up by the write */
  sequence: number;
}

export interface CheckIn extends Speaker {
  epoch: string;
  /** chain value that the host presented; null where it has none */
  chain: string | null;
  /** must equal the digest stored */
  digest: Digest;
  /** must be the host's name */
  hostname: string;
  /** must be the identity's `claimed_hostname`; null: none */
  claimed_hostname: string | null;
  answer: Acknowledgement;
  collected_at: Date;
}

export interface StoredReport extends Speaker {
  /** the host's name, under which the trail is: the write's guard against a renaming meanwhile */
  hostname: string;
  /** the host's `last.chain` as read before (null: no submission yet): the write's guard against a twin */
  expected_chain: string | null;
  /** the host as read with that chain value: a store may leave out of the write the very values that it holds already */
  before?: Pick<Host, 'plugins' | 'commands'> & { identity: Pick<Identity, 'last' | 'list'> };
  epoch: string;
  digest: Digest;
  list: Record<string, Digest>;
  answer: Acknowledgement;
  collected_at: Date;
  plugins: Fields;
  /** the whole of the host's commands as they are to be; undefined leaves them */
  commands?: Fields;
  checks?: Judgement;
  /** what `checks` says calls for nothing that was not carried over before */
  settled?: true;
  trail: TrailRecord[];
}

/** A v1 submission: creates the host where it is new. */
export interface V1Report {
  hostname: string;
  /** submitted_at, and the time of every part of this report */
  at: Date;
  collected_at?: Date;
  /** replaces `plugins` as a whole; undefined leaves them */
  plugins?: Fields;
  /** each replaces the command of its name; others stay */
  commands?: Fields;
  checks?: Judgement;
  /** as in StoredReport */
  settled?: true;
  trail: TrailRecord[];
}

/** A key that takes the place of all that a host has. */
export interface Newcomer {
  /** of the host whose place it takes */
  host_id: HostId;
  key: HostKey;
  machine_id_digest?: string;
  pattern?: string;
  /** the last one that the key has used */
  sequence: number;
}

/** A key that takes over from the one that vouches for it. */
export interface Rotation {
  host_id: HostId;
  /** record of the new key: approved, and `replaces` names the key that vouches */
  enrollment: Enrollment & { replaces: KeyId };
  /** until when the key that vouches stays valid */
  ends_at: Date;
  /** the write's guard against too many: no key of the host came by rotation after this */
  none_since: Date;
}

export interface Renaming {
  id: HostId;
  from: string;
  to: string;
}

/** A host by one of the spellings of a name. */
export interface Namesake {
  hostname: string;
  /** absent: known only from v1 */
  host_id?: HostId;
}

export interface HostFilter {
  /** exact names */
  hostnames?: string[];
  /** whose `checks.version` is not this one (or who have none) */
  judged_otherwise?: string;
  /** whose checks have not been carried over to the issues (`settled: false`) */
  unsettled?: true;
  /** whose `checks.deadline_at` is at or before this */
  deadline_by?: Date;
  /** whose `submitted_at` is before this, and all that never submitted */
  silent_since?: Date;
}

/** A key that speaks, or spoke, for an approved host. */
export interface HeldKey {
  key_id: KeyId;
  /** raw 32 bytes, base64 */
  public_key: string;
  hostname: string;
}

export interface HostStore {
  /** By the name exactly as it is stored: v1 hosts of an original database may differ in case alone. */
  find(hostname: string): Promise<Host | undefined>;
  /** The hosts whose name is this one but for case, this very spelling included; a v2 host first, then by name. */
  namesakes(hostname: string): Promise<Namesake[]>;
  findById(id: HostId): Promise<Host | undefined>;
  /** The host, whole, that the key speaks for, revoked keys included; undefined for a key of no approved host. */
  findByKey(key: KeyId): Promise<(Host & { identity: Identity }) | undefined>;
  /** That key alone, revoked or not, with the name of its host: what a signature needs, at a fraction of what the whole host costs. */
  findKey(key: KeyId): Promise<{ public_key: string; hostname: string } | undefined>;
  /** All keys that findKey knows, in no order, each with its id. Streams. */
  keys(): AsyncIterable<HeldKey>;
  /** By host name. Streams: the fleet need not fit in memory. */
  list(filter?: HostFilter): AsyncIterable<Host>;
  /** The same hosts, by name, and little of each. @param checks names of the results that are wanted */
  facts(filter: HostFilter, checks?: readonly string[]): AsyncIterable<HostFacts>;
  count(): Promise<number>;

  /**
   * Uses up a sequence number, and nothing else: for any verified request that stores nothing. One guarded write (key known and valid
   * at that time, number above the last). A key that has ended is `revoked`.
   */
  spend(speaker: Speaker, at: Date): Promise<Spent>;
  /**
   * An unchanged report, in one guarded write: key valid at `answer.at`, host not lost, sequence above the last, names, chain, digest and epoch equal to those stored,
   * submission not the last one. Sets `submitted_at` and `plugins.submitted_at` to `answer.at`, `collected_at`, `last`; removes `suspended`.
   * @returns false where the guard does not hold (nothing was changed; the caller finds out why)
   */
  checkIn(checkIn: CheckIn): Promise<boolean>;
  /**
   * A changed report with its trail, in one guarded write (key valid at `answer.at`, host not lost, sequence above the last, name and `last.chain` as expected).
   * `plugins.submitted_at` is set to `answer.at`. The trail is stored exactly once, also when the same submission is stored again after a crash.
   * `settled` becomes false where `checks` is given, unless the report says otherwise.
   * @returns false where the guard does not hold
   */
  storeReport(report: StoredReport): Promise<boolean>;
  /**
   * Acknowledges a submission whose body the agent no longer holds (`gone`): sets `last`, and `submitted_at` not at all.
   * Guarded as storeReport.
   */
  settleGone(
    gone: Speaker & { expected_chain: string | null; epoch: string; answer: Acknowledgement },
  ): Promise<boolean>;
  /** v1: guarded by the host having no `identity`, and its name, in any case, no key that was ever approved. @returns false where it has (downgrade) */
  storeV1(report: V1Report): Promise<boolean>;

  /**
   * Gives an approved identity to a host name: creates the host, or (where `adopt`) takes over a document known from v1 with its history,
   * as that one spells the name.
   * @returns false where the name, in any case, belongs to another v2 host, or to a v1 one and not `adopt`, or to several of those,
   * or the id or a key to another name;
   * true again where the host has this very identity already
   */
  attach(hostname: string, identity: Identity, options: { adopt: boolean }): Promise<boolean>;
  /**
   * Renames a host, and with it trail, issues, parameters (others' links to it, too), patches, what waits in the outbox and its approved enrolments, which keep the
   * name so far as a former one. The host's orders are shown under the new name; what they were signed for stays.
   * Where both names have an issue open, that of the former one is closed. Guarded by id and name so far.
   * @returns `taken`: another host has the name in any case, or a key of another one was ever approved under it; `changed`: the guard does not hold
   */
  rename(renaming: Renaming, at: Date): Promise<'renamed' | 'taken' | 'changed'>;
  /** Sets or removes (null) `claimed_hostname`, guarded by id and name. @returns false where the guard does not hold */
  claim(host: { id: HostId; hostname: string }, claimed_hostname: string | null): Promise<boolean>;
  /**
   * Gives a host to another key, in one guarded write (name and id as said): its keys become revoked, sequence number and machine id
   * the newcomer's, it is not lost any more, and the chain starts anew as clearChain does it. What it has reported stays.
   * @returns false where there is no such host, or the key belongs to another one, or is revoked;
   * true again where the key has the place already (nothing is changed)
   */
  replace(hostname: string, newcomer: Newcomer, at: Date): Promise<boolean>;
  /**
   * Gives a host a further key, in one guarded write (host id; key that vouches not revoked, and not taken over from yet; host not lost;
   * new key unknown to all hosts and enrolments; `none_since`). The key that vouches ends at `ends_at`, an older one at once, so that
   * two are valid at most. The record of the new key comes among the enrolments. Everything else of the host stays.
   * @returns false where the guard does not hold
   */
  rotate(rotation: Rotation, at: Date): Promise<boolean>;
  /**
   * Forgets what was acknowledged last (`last` and `epoch` become null): the next submission is taken whatever its chain.
   * @returns false where there is no such host
   */
  clearChain(hostname: string, id: HostId): Promise<boolean>;
  /** Marks the host as lost, or (undefined) found; the first mark's time stays. @returns false where no host of v2 has that name */
  markLost(hostname: string, since: Date | undefined): Promise<boolean>;
  /** Marks a key revoked. @returns false for a key of no approved host */
  revokeKey(key: KeyId, at: Date): Promise<boolean>;
  /** Stores what the checks say, guarded by `submitted_at` being as judged; sets `settled: false`. */
  saveJudgement(hostname: string, submitted_at: Date | undefined, checks: Judgement): Promise<boolean>;
  /** Marks the checks carried over, guarded by `checks.evaluated_at`. */
  settle(hostname: string, evaluated_at: Date): Promise<boolean>;
  /** Sets or removes `suspended`. @returns false for an unknown host */
  suspend(hostname: string, suspended: boolean): Promise<boolean>;
  /** Removes the host with its parameters, and takes it out of pending patches, links and the outbox; its issues are closed, its trail kept. @returns false for an unknown host */
  forget(hostname: string, at: Date): Promise<boolean>;
}

export interface EnrollmentStore {
  /** @returns false where the key has enrolled before (nothing changed) */
  insert(enrollment: Enrollment): Promise<boolean>;
  find(key: KeyId): Promise<Enrollment | undefined>;
  list(): Promise<Enrollment[]>;
  /** Whether a key of this host name, in any case, was ever approved, revoked, forgotten and former ones included: v1 refuses such a name for good. */
  everApproved(hostname: string): Promise<boolean>;
  /** Guarded by `pending`. */
  approve(key: KeyId, at: Date): Promise<boolean>;
  /** Pending or approved becomes revoked. */
  revoke(key: KeyId, at: Date, why: string): Promise<boolean>;
}

export type TokenUse =
  | { outcome: 'used' | 'used-before'; token: Token }
  | { outcome: 'unknown' | 'expired' | 'revoked' | 'used-up' };

export interface TokenStore {
  insert(token: Token): Promise<void>;
  list(): Promise<Token[]>;
  /** The token of that hash, whatever its state. */
  find(hash: string): Promise<Token | undefined>;
  /** Counts a use, once per key, in one guarded write. A token that this key used before answers `used-before`, even when it has expired since; a revoked one is `revoked` for all. */
  use(hash: string, key: KeyId, at: Date): Promise<TokenUse>;
  /** By id. @returns false where there is none, or it was revoked before */
  revoke(id: string, at: Date): Promise<boolean>;
}

export interface IssueFilter {
  hostnames?: string[];
  names?: string[];
}

export type IssueOf = Pick<Issue, 'hostname' | 'name'>;

export interface IssueStore {
  /**
   * Opens the issue unless one is open, or an operator closed it no earlier than what shows it came.
   * @param shown_at when that came; `at` where absent
   * @returns whether it opened now
   */
  open(hostname: string, name: string, at: Date, shown_at?: Date): Promise<boolean>;
  /** Opens it for an operator, whoever closed it before. @returns false where one is open */
  openByHand(hostname: string, name: string, at: Date): Promise<boolean>;
  /** @returns whether one was open */
  close(hostname: string, name: string, at: Date): Promise<boolean>;
  /** Open issues, by host name, then name. */
  listOpen(filter?: IssueFilter): AsyncIterable<Issue>;
  /** All episodes, newest first. */
  history(filter: IssueFilter & { limit: number }): Promise<Issue[]>;
  markAlerted(issues: readonly IssueOf[], at: Date): Promise<void>;
  /**
   * Carries what the checks say over to the issues of one host: opens each of `failing`, as `open` does, closes each open one of `passing`.
   * Names in neither list are left alone.
   */
  reconcile(
    hostname: string,
    failing: string[],
    passing: string[],
    at: Date,
    shown_at?: Date,
  ): Promise<{ opened: string[]; closed: string[] }>;
  /** Nobody is alerted about the open ones of these until then; one that is snoozed for longer stays so. @returns those that were snoozed */
  snooze(filter: IssueFilter, until: Date, at: Date): Promise<IssueOf[]>;
  /** Ends the snoozing of the open ones of these. @returns those that were snoozed */
  unsnooze(filter: IssueFilter, at: Date): Promise<IssueOf[]>;
  /** Closes the open ones of these for an operator: no other one opens until newer data show it. @returns those that were open */
  closeByHand(filter: IssueFilter, at: Date): Promise<IssueOf[]>;
  /** Those that an operator closed and that were not released, in no order. */
  listHeld(): Promise<HeldIssue[]>;
  /** Newer data than the closing was looked at: nothing keeps another one from opening. */
  release(held: readonly HeldIssue[]): Promise<void>;
}

export interface ParameterStore {
  /** Those that are set, by host name, then parameter. */
  list(filter?: { hostnames?: readonly string[]; parameters?: readonly ParameterName[] }): Promise<ClientParameter[]>;
  /**
   * Sets a parameter of a host, or (null) unsets it. `user_clients` is mutual (core/parameters.ts): a crash in the middle is finished
   * by whoever comes next.
   * @returns what it was; null: it was not set
   */
  set(hostname: string, parameter: ParameterName, value: string[] | null, at: Date): Promise<string[] | null>;
}

export interface TrailStore {
  /** Newest first. */
  history(hostname: string, options: { limit: number; before?: Date }): Promise<TrailRecord[]>;
  /** When the oldest record of the host was written; undefined where it has none. */
  since(hostname: string): Promise<Date | undefined>;
}

export interface PatchStore {
  pendingFor(hostname: string): Promise<Patch[]>;
  /** Moves the host from pending to completed; harmless when repeated. @returns false for an unknown patch */
  acknowledge(id: string, hostname: string): Promise<boolean>;
  /** @returns false where the id is there already (nothing was changed) */
  insert(patch: PatchRecord): Promise<boolean>;
  find(id: string): Promise<PatchRecord | undefined>;
  /** Newest first; those alone that touch the path, where one is given. Streams. */
  list(filter?: { path?: string; limit?: number }): AsyncIterable<PatchRecord>;
  /** Nobody who has not acknowledged it is given it any more. @returns who that is; undefined for an unknown patch */
  cancel(id: string): Promise<string[] | undefined>;
  /** Takes hosts that are not known (any more) out of what is pending. @returns the hosts for which a patch is pending still, by name */
  pendingHosts(): Promise<string[]>;
}

export interface OrderTargetFilter {
  order?: string;
  host_id?: HostId;
  states?: readonly OrderState[];
}

/** A document about keys that agents are to learn (wire/v2: order-key.ts, revocations.ts). */
export interface KeyStatement {
  kind: 'order-key' | 'revocations';
  number: number;
  /** as it was signed */
  document: Fields;
}

/** An order that a host is to be given, or has been. */
export interface PendingOrder extends Order {
  /** not given to this host yet, or not with all its signatures: it is to be sent though the host says that it has it */
  queued: boolean;
}

/** Orders, their files, what became of them, and what agents must know of the keys that sign them. */
export interface OrderStore {
  /**
   * Puts in a file by its digest, in pieces, on disk before any order names it; harmless when repeated.
   * @throws RangeError for content that is not what `file` says
   */
  putFile(file: { sha256: string; size: number }, content: Uint8Array): Promise<void>;
  /** At most `length` bytes of a file from `offset` on. @returns undefined where there is no such file, or not all of it */
  readFile(sha256: string, offset: number, length: number): Promise<Uint8Array | undefined>;
  /**
   * Puts in an order, `queued` for these hosts; seen by nobody until all of it is there.
   * @returns false where the id, or the number of the release, is there already (nothing was changed)
   */
  insert(order: Order, targets: readonly Pick<OrderTarget, 'host_id' | 'hostname'>[]): Promise<boolean>;
  find(id: string): Promise<Order | undefined>;
  /** Newest first. Streams. */
  list(filter?: {
    kinds?: readonly Order['kind'][];
    limit?: number;
  }): AsyncIterable<Order & { counts: Partial<Record<OrderState, number>> }>;
  /** By host name, then order. Streams. */
  targets(filter: OrderTargetFilter): AsyncIterable<OrderTarget>;
  /**
   * What a host is to have now: its orders that are neither settled, cancelled nor expired, oldest first, and the newest release where its number
   * is above `release` and this host has not settled it.
   */
  pendingFor(host: { host_id: HostId; release: number }, at: Date): Promise<PendingOrder[]>;
  /** The hosts that have something to fetch but for releases that do not name them: those with a target that is `queued`. */
  queuedHosts(at: Date): Promise<Pick<OrderTarget, 'host_id' | 'hostname'>[]>;
  /** The number of the newest release that is not cancelled; 0: none. */
  newestRelease(): Promise<number>;
  /**
   * `queued` becomes `fetched`; a host that a release did not name yet becomes a target of it.
   * @returns those of the ids that the host may be given: not what was cancelled, or settled, meanwhile
   */
  markFetched(ids: readonly string[], host: Pick<OrderTarget, 'host_id' | 'hostname'>, at: Date): Promise<string[]>;
  /**
   * Keeps what a host reports, guarded by its number being above that of the report before; what it settled itself stays. A cancelled or
   * expired one becomes what the host says: it was under way.
   * @returns `before`: it came before, or a newer one did, or the host has settled the order; `unknown`: the order is not this host's
   */
  report(host_id: HostId, report: OrderReport): Promise<'kept' | 'before' | 'unknown'>;
  /**
   * Nobody who has not fetched it is given it any more: `queued` becomes `cancelled`, but `fetched` where the host has it and was to get it
   * with a further signature. @returns how many had not fetched it; undefined for an unknown order
   */
  cancel(id: string, at: Date): Promise<number | undefined>;
  /** What expired before it was fetched becomes `expired` (as `cancel` has it); the content of files that no order of the last 90 days names goes. @returns how many expired */
  expireOrders(at: Date): Promise<number>;
  /**
   * Adds a further signature; hosts that have the order get it again (`fetched` and `waiting` become `queued`). Harmless when repeated.
   * @returns false for an unknown or ended order, and for one that has MOST_SIGNATURES
   */
  addSignature(id: string, signature: string, at: Date): Promise<boolean>;
  /** The host's chain of receipts as far as the server has it, and since when it does not fit. */
  receipts(host_id: HostId): Promise<(ReceiptsHead & { broken_at?: Date }) | undefined>;
  /** Moves the head of the chain, guarded by where it was (null: none yet). @returns false where the guard does not hold */
  moveReceipts(host_id: HostId, from: ReceiptsHead | null, to: ReceiptsHead): Promise<boolean>;
  /** Notes that a host's chain does not fit, the first time; null: an operator has looked, and the note goes. */
  breakReceipts(host_id: HostId, at: Date | null): Promise<void>;
  /** @returns false where that number, or a higher one of the kind, is there */
  putStatement(statement: KeyStatement): Promise<boolean>;
  /** Those with a number above that, by number. */
  statements(kind: KeyStatement['kind'], above: number): Promise<KeyStatement[]>;
}

export interface OutboxFilter {
  /** delivered ones too */
  delivered: boolean;
}

/** Something to be sent as one, that is due. */
export interface DueMessage extends Target {
  message: string;
  /** of its oldest entry */
  created_at: Date;
}

/** A claim is one sender's, until its lease ends; `by` is made for this claim alone. */
export interface Claim {
  by: string;
  at: Date;
  until: Date;
}

/** What came of claimed entries. `released`: they were not tried. */
export type Settlement =
  | { outcome: 'delivered'; at: Date }
  | { outcome: 'failed'; failure: string; next_at: Date }
  | { outcome: 'given-up'; failure: string; at: Date }
  | { outcome: 'released' };

/** Alerts on their way to receivers. */
export interface OutboxStore {
  /** Puts in those entries whose key is not there yet, delivered ones included: each by itself. @returns how many that were */
  add(entries: OutboxEntry[]): Promise<number>;
  /** By age, then key. Streams. */
  list(filter: OutboxFilter): AsyncIterable<OutboxEntry>;
  /** Messages with entries that wait, whose time has come, and that nobody has claimed; oldest first. */
  due(at: Date): Promise<DueMessage[]>;
  /** Claims the due entries of these messages for one sender. Guarded by all that `due` asks. @returns them, by age, then key */
  claim(messages: string[], claim: Claim): Promise<OutboxEntry[]>;
  /** Notes what came of claimed entries, and ends the claim. Guarded by the claim. @returns how many entries it held for */
  settle(by: string, keys: string[], settlement: Settlement): Promise<number>;
  /** Makes messages due at once, those that were given up too; all of them where undefined. @returns how many entries that were */
  revive(messages: string[] | undefined, at: Date): Promise<number>;
  /** Removes what was delivered or given up before that. */
  expire(before: Date): Promise<void>;
}

/** v1 signatures accepted so far: the ledger that refuses a replay. */
export interface SignatureStore {
  /** @returns false where this id was remembered before (and has not expired) */
  remember(id: string, expires_at: Date): Promise<boolean>;
  /** Whether this id was remembered before (and has not expired). */
  knows(id: string): Promise<boolean>;
}

/** Collection name → what a backup holds of it, one document each, in the portable form of store/portable.ts. */
export interface StoredDocument {
  collection: string;
  document: Fields;
}

export interface UpkeepStore {
  /** true: one moment's picture; false: each document by itself (a standalone mongod) */
  readonly consistent: boolean;
  /** Everything, for a backup. */
  export(): AsyncIterable<StoredDocument>;
  /** Marks the store as under maintenance (servers answer 503) or not. */
  setMaintenance(since: Date | undefined): Promise<void>;
  /** Replaces everything but the maintenance mark by these documents, and sets the epoch. Embedded: one transaction. */
  import(documents: AsyncIterable<StoredDocument>, epoch: string): Promise<void>;
  /** Removes what has expired (remembered signatures). */
  expire(at: Date): Promise<void>;
}
