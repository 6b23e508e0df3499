import { isFields } from '../../../core/value.ts';
import { UNKNOWN } from '../../collector.ts';
import type { PublicAddresses } from '../ip-addresses.ts';
import { type Location, locationOf } from './parse-location.ts';

/** By what a machine notices that it was moved. */
export interface Place {
  addresses: PublicAddresses;
  /** their hardware addresses, sorted */
  accessPoints: readonly string[];
}

/** How many of them must be the same: some come and go while nobody moves. */
const SHARE = 0.75;

/**
 * Of the two lists the shorter one counts: a scan that saw fewer is no journey. Without access points on both sides, the public addresses
 * alone decide, and where they are unknown too, nothing says that it is the same place.
 */
export function isSamePlace(before: Place, now: Place): boolean {
  const sameAddresses =
    before.addresses.public_ipv4 === now.addresses.public_ipv4 &&
    before.addresses.public_ipv6 === now.addresses.public_ipv6;
  if (!sameAddresses) return false;
  const shorter = Math.min(before.accessPoints.length, now.accessPoints.length);
  if (shorter === 0) {
    const isKnown = now.addresses.public_ipv4 !== UNKNOWN || now.addresses.public_ipv6 !== UNKNOWN;
    return isKnown && before.accessPoints.length === now.accessPoints.length;
  }
  const seen = new Set(now.accessPoints);
  return before.accessPoints.filter((each) => seen.has(each)).length >= SHARE * shorter;
}

/** @returns undefined where it is nothing that we kept */
export function readKept(value: unknown): { place: Place; answer: Location } | undefined {
  if (!isFields(value) || !isFields(value['place']) || !isFields(value['place']['addresses'])) return undefined;
  const { public_ipv4, public_ipv6 } = value['place']['addresses'];
  const { accessPoints } = value['place'];
  const answer = locationOf(value['answer']);
  if (typeof public_ipv4 !== 'string' || typeof public_ipv6 !== 'string' || answer === undefined) return undefined;
  if (!Array.isArray(accessPoints)) return undefined;
  const names = accessPoints.filter((each) => typeof each === 'string');
  return { place: { addresses: { public_ipv4, public_ipv6 }, accessPoints: names }, answer };
}
