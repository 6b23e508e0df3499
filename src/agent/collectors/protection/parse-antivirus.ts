/** `ClamAV-VDB:16 Nov 2026 08-27 +0000:27461:…`: the first 512 bytes of a database, its second field when it was built. */
export function parseClamHeader(head: string): Date | undefined {
  const [, day, time = '', zone] =
    /^ClamAV-VDB:(\d{1,2} [A-Z][a-z]{2} \d{4}) (\d{2}-\d{2}) ([+-]\d{4}):/.exec(head) ?? [];
  const built = new Date(`${day} ${time.replace('-', ':')} ${zone}`);
  return Number.isNaN(built.getTime()) ? undefined : built;
}

/** `mdatp health --output json`: a value is bare, or with who set it (`{"value": true}`); a word is bare or `{"$type": "upToDate"}`. */
export function parseMdatp(text: string): { protects?: boolean; current?: boolean } {
  const health = objectIn(text);
  const protects = bare(health?.['realTimeProtectionEnabled']);
  const healthy = bare(health?.['healthy']);
  const status = bare(health?.['definitionsStatus']);
  return {
    ...(typeof protects === 'boolean' ? { protects: protects && healthy !== false } : {}),
    ...(typeof status === 'string' ? { current: status.replaceAll('_', '').toLowerCase() === 'uptodate' } : {}),
  };
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return record(Array.isArray(value) ? value[0] : value);
  } catch {
    return undefined;
  }
}

function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : undefined;
}

function bare(value: unknown): unknown {
  const inside = record(value);
  return inside === undefined ? value : (inside['value'] ?? inside['$type']);
}
