import type { Value } from '../../core/value.ts';

/** What a program printed as JSON. @returns undefined where it is none */
export function parseJson(text: string): Value | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
