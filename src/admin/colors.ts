import type { Severity } from '../core/audit.ts';
import type { Output } from './context.ts';

const SEVERITY: Record<Severity, string> = { critical: '31', high: '31', medium: '33', low: '36' };

export function severityColor(output: Output, severity: Severity, text: string): string {
  return color(output, SEVERITY[severity], text);
}

export function bold(output: Output, text: string): string {
  return color(output, '1', text);
}

function color({ colors }: Output, code: string, text: string): string {
  return colors ? `\u001b[${code}m${text}\u001b[0m` : text;
}
