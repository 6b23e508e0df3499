import type { OutboxEntry } from '../../core/delivery.ts';
import type { Enrollment, Token } from '../../core/enrollment.ts';
import type { HostId, Identity, KeyId } from '../../core/host.ts';
import type { HeldIssue } from '../../core/issue.ts';
import type { Order, OrderReport, OrderTarget, ReceiptsHead } from '../../core/order.ts';
import type { ParameterName } from '../../core/parameters.ts';
import type { PatchRecord } from '../../core/patch.ts';
import type { Claim, IssueFilter, IssueOf, KeyStatement, Newcomer, Renaming, Rotation, Settlement } from '../port.ts';
import type { Engine } from './engine.ts';
import { approve, insertEnrollment, revokeEnrollment } from './enrollments.ts';
import { attach, forget, markLost, revokeKey, saveJudgement, settle, suspend } from './host-admin.ts';
import { closeIssue, markAlerted, openIssue, reconcile } from './issues.ts';
import { closeByHand, openByHand, release, snooze, unsnooze } from './issues-by-hand.ts';
import { setMaintenance } from './meta.ts';
import { expireOrders, keepOrderFile, putOrderFile } from './order-files.ts';
import { addSignatureToOrder, cancelOrder, insertOrder, markFetched, reportOrder } from './orders.ts';
import { addToOutbox, claimInOutbox, expireOutbox, reviveInOutbox, settleInOutbox } from './outbox.ts';
import { setParameter } from './parameters.ts';
import { acknowledgePatch, cancelPatch, dropUnknownHosts, insertPatch } from './patches.ts';
import type { CheckInRow, ChecksRow, GoneRow, ReportRow, V1Row } from './prepare.ts';
import { breakReceipts, moveReceipts } from './receipts.ts';
import { claim, rename } from './rename.ts';
import { clearChain, replace } from './replace.ts';
import { checkIn, settleGone, storeReport, storeV1 } from './reports.ts';
import { rotate } from './rotate.ts';
import { expireSignatures, rememberSignature } from './signatures.ts';
import { spend } from './spend.ts';
import { putStatement } from './statements.ts';
import { insertToken, revokeToken, useToken } from './tokens.ts';

/**
 * All that is ever written but an import: each verb one statement or one transaction, so that one that throws has done nothing.
 * What they take and give crosses a socket (serve-writes.ts): plain values and dates.
 */
export function writesOn(engine: Engine) {
  return {
    spend: (key: KeyId, sequence: number, at: Date) => spend(engine, key, sequence, at),
    checkIn: (row: CheckInRow) => checkIn(engine, row),
    storeReport: (row: ReportRow) => storeReport(engine, row),
    settleGone: (row: GoneRow) => settleGone(engine, row),
    storeV1: (row: V1Row) => storeV1(engine, row),
    attach: (hostname: string, identity: Identity, options: { adopt: boolean }) =>
      attach(engine, hostname, identity, options),
    rename: (renaming: Renaming, at: Date) => rename(engine, renaming, at),
    claim: (host: { id: HostId; hostname: string }, name: string | null) => claim(engine, host, name),
    replace: (hostname: string, newcomer: Newcomer, at: Date) => replace(engine, hostname, newcomer, at),
    rotate: (rotation: Rotation, at: Date) => rotate(engine, rotation, at),
    clearChain: (hostname: string, id: HostId) => clearChain(engine, hostname, id),
    markLost: (hostname: string, since: Date | undefined) => markLost(engine, hostname, since),
    revokeKey: (key: KeyId, at: Date) => revokeKey(engine, key, at),
    saveJudgement: (hostname: string, submitted_at: Date | undefined, checks: ChecksRow) =>
      saveJudgement(engine, hostname, submitted_at, checks),
    settle: (hostname: string, evaluated_at: Date) => settle(engine, hostname, evaluated_at),
    suspend: (hostname: string, suspended: boolean) => suspend(engine, hostname, suspended),
    forget: (hostname: string, at: Date) => forget(engine, hostname, at),
    insertEnrollment: (enrollment: Enrollment) => insertEnrollment(engine, enrollment),
    approveEnrollment: (key: KeyId, at: Date) => approve(engine, key, at),
    revokeEnrollment: (key: KeyId, at: Date, why: string) => revokeEnrollment(engine, key, at, why),
    insertToken: (token: Token) => insertToken(engine, token),
    useToken: (hash: string, key: KeyId, at: Date) => useToken(engine, hash, key, at),
    revokeToken: (id: string, at: Date) => revokeToken(engine, id, at),
    openIssue: (hostname: string, name: string, at: Date, shown_at: Date) =>
      openIssue(engine, hostname, name, at, shown_at),
    closeIssue: (hostname: string, name: string, at: Date) => closeIssue(engine, hostname, name, at),
    markAlerted: (issues: readonly IssueOf[], at: Date) => markAlerted(engine, issues, at),
    reconcile: (hostname: string, failing: string[], passing: string[], at: Date, shown_at: Date) =>
      reconcile(engine, hostname, failing, passing, at, shown_at),
    openByHand: (hostname: string, name: string, at: Date) => openByHand(engine, hostname, name, at),
    snooze: (filter: IssueFilter, until: Date, at: Date) => snooze(engine, filter, until, at),
    unsnooze: (filter: IssueFilter, at: Date) => unsnooze(engine, filter, at),
    closeByHand: (filter: IssueFilter, at: Date) => closeByHand(engine, filter, at),
    release: (held: readonly HeldIssue[]) => release(engine, held),
    setParameter: (hostname: string, parameter: ParameterName, value: string[] | null, at: Date) =>
      setParameter(engine, hostname, parameter, value, at),
    dropUnknownHosts: () => dropUnknownHosts(engine),
    acknowledgePatch: (id: string, hostname: string) => acknowledgePatch(engine, id, hostname),
    insertPatch: (patch: PatchRecord) => insertPatch(engine, patch),
    cancelPatch: (id: string) => cancelPatch(engine, id),
    keepOrderFile: (sha256: string, at: Date) => keepOrderFile(engine, sha256, at),
    putOrderFile: (file: { sha256: string; size: number }, pieces: readonly string[], at: Date) =>
      putOrderFile(engine, file, pieces, at),
    insertOrder: (order: Order, targets: readonly Pick<OrderTarget, 'host_id' | 'hostname'>[]) =>
      insertOrder(engine, order, targets),
    markFetched: (ids: readonly string[], host: Pick<OrderTarget, 'host_id' | 'hostname'>, at: Date) =>
      markFetched(engine, ids, host, at),
    reportOrder: (host_id: HostId, report: OrderReport) => reportOrder(engine, host_id, report),
    cancelOrder: (id: string, at: Date) => cancelOrder(engine, id, at),
    expireOrders: (at: Date) => expireOrders(engine, at),
    addSignatureToOrder: (id: string, signature: string, at: Date) => addSignatureToOrder(engine, id, signature, at),
    moveReceipts: (host_id: HostId, from: ReceiptsHead | null, to: ReceiptsHead) =>
      moveReceipts(engine, host_id, from, to),
    breakReceipts: (host_id: HostId, at: Date | null) => breakReceipts(engine, host_id, at),
    putStatement: (statement: KeyStatement) => putStatement(engine, statement),
    addToOutbox: (entries: OutboxEntry[]) => addToOutbox(engine, entries),
    claimInOutbox: (messages: string[], claim: Claim) => claimInOutbox(engine, messages, claim),
    settleInOutbox: (by: string, keys: string[], settlement: Settlement) =>
      settleInOutbox(engine, by, keys, settlement),
    reviveInOutbox: (messages: string[] | undefined, at: Date) => reviveInOutbox(engine, messages, at),
    expireOutbox: (before: Date) => expireOutbox(engine, before),
    rememberSignature: (id: string, expires_at: Date, now: Date) => rememberSignature(engine, id, expires_at, now),
    setMaintenance: (since: Date | undefined) => setMaintenance(engine, since),
    expireSignatures: (at: Date) => expireSignatures(engine, at),
    /** Nothing: whoever gets its answer knows that writes are done. */
    nothing: () => undefined,
  };
}

type Verbs = ReturnType<typeof writesOn>;
export type WriteName = keyof Verbs;
export type WriteArguments = { [N in WriteName]: Parameters<Verbs[N]> };
export type WriteResults = { [N in WriteName]: ReturnType<Verbs[N]> };
export type Writes = { readonly [N in WriteName]: (...given: WriteArguments[N]) => WriteResults[N] };

/** Does it, wherever the one who writes is; on disk when it resolves. */
export type Write = <N extends WriteName>(name: N, ...given: WriteArguments[N]) => Promise<WriteResults[N]>;
