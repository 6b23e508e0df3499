import type { Enrollment } from '../../core/enrollment.ts';
import type { HostId, KeyId } from '../../core/host.ts';
import { escapeFields } from '../escape.ts';
import { enrollmentFields, enrollmentOf } from '../records.ts';
import { plainDocument } from './bson.ts';
import { ANY_CASE, type Collections } from './collections.ts';
import { isDuplicateKey } from './errors.ts';

export async function insertEnrollment({ enrollments }: Collections, enrollment: Enrollment): Promise<boolean> {
  try {
    await enrollments.insertOne(escapeFields(enrollmentFields(enrollment)));
    return true;
  } catch (error) {
    if (isDuplicateKey(error)) return false;
    throw error;
  }
}

export async function findEnrollment({ enrollments }: Collections, key: KeyId): Promise<Enrollment | undefined> {
  return readEnrollment(await enrollments.findOne({ key_id: key }));
}

export async function listEnrollments({ enrollments }: Collections): Promise<Enrollment[]> {
  const documents = await enrollments.find().sort({ enrolled_at: 1, key_id: 1 }).toArray();
  return documents.flatMap((document) => readEnrollment(document) ?? []);
}

/** @param other by a host of another id than this */
export async function everApproved({ enrollments }: Collections, hostname: string, other?: HostId): Promise<boolean> {
  const filter = {
    $or: [{ hostname }, { former_hostnames: hostname }],
    approved_at: { $exists: true },
    ...(other !== undefined && { host_id: { $ne: other } }),
  };
  return (await enrollments.countDocuments(filter, { limit: 1, collation: ANY_CASE })) > 0;
}

export async function approve({ enrollments }: Collections, key: KeyId, at: Date): Promise<boolean> {
  const update = { $set: { status: 'approved', approved_at: at } };
  return (await enrollments.updateOne({ key_id: key, status: 'pending' }, update)).matchedCount > 0;
}

export async function revokeEnrollment(
  { enrollments }: Collections,
  key: KeyId,
  at: Date,
  why: string,
): Promise<boolean> {
  const update = { $set: { status: 'revoked', revoked_at: at, revoked_why: why } };
  return (await enrollments.updateOne({ key_id: key, status: { $ne: 'revoked' } }, update)).matchedCount > 0;
}

export function readEnrollment(document: object | null): Enrollment | undefined {
  return document === null ? undefined : enrollmentOf(plainDocument(document));
}
