import { isFields } from '../../../core/value.ts';
import { parseJson } from '../parse-json.ts';

/** What geolocation services answer: degrees, and how many metres it may be off. */
export interface Location {
  location: { lat: number; lng: number };
  accuracy: number;
}

/** @returns undefined for anything that is no place on Earth; what else was answered is left out */
export function parseLocation(text: string): Location | undefined {
  return locationOf(parseJson(text));
}

export function locationOf(value: unknown): Location | undefined {
  if (!isFields(value) || !isFields(value['location'])) return undefined;
  const { lat, lng } = value['location'];
  const { accuracy } = value;
  if (!isWithin(lat, 90) || !isWithin(lng, 180)) return undefined;
  return isWithin(accuracy, 1e8) && accuracy >= 0 ? { location: { lat, lng }, accuracy } : undefined;
}

function isWithin(value: unknown, limit: number): value is number {
  return typeof value === 'number' && Math.abs(value) <= limit;
}
