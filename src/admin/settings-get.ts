import { Command } from 'commander';
import { stringify } from 'yaml';
import { OperatorError } from '../core/errors.ts';
import { plainSettings } from '../settings/plain-settings.ts';
import { knownKeys, nearest, schemasAt } from '../settings/schema-at.ts';
import { serverSettings } from '../settings/server-settings.ts';
import type { AdminContext } from './context.ts';

/** `penguindome settings get [PATH]`: what is in force, defaults included. Settings hold no secrets; only the files' names that do. */
export function settingsGet(context: AdminContext): Command {
  return new Command('get')
    .description('print the settings in force, defaults included, or one of them')
    .argument('[path]', 'dotted path, such as ports.0.deprecated')
    .addHelpText('after', EXAMPLES)
    .action(async (path: string | undefined) => {
      const value = select(plainSettings(await context.settings()), path ?? '');
      if (context.output.wantsJson) context.output.json(value ?? null);
      else context.output.line(show(value));
    });
}

const EXAMPLES = `
Examples:
  penguindome settings get
  penguindome settings get log.level
  penguindome settings get ports.0 --json`;

/** @returns undefined for a setting that is known, but not set and without a default */
function select(settings: unknown, path: string): unknown {
  const steps = path === '' ? [] : path.split('.');
  if (schemasAt(serverSettings, steps).length === 0) refuse(steps);
  return steps.reduce<unknown>(
    (at, step) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, step) ? Reflect.get(at, step) : undefined,
    settings,
  );
}

function refuse(steps: readonly string[]): never {
  const good = steps.findIndex((_, index) => schemasAt(serverSettings, steps.slice(0, index + 1)).length === 0);
  const known = knownKeys(serverSettings, steps.slice(0, good));
  const meant = nearest(steps[good] ?? '', known);
  const advice = meant === undefined ? `known there: ${known.join(', ') || 'nothing'}` : `did you mean ${meant}?`;
  throw new OperatorError(`cannot find ${steps.slice(0, good + 1).join('.')}: there is no such setting; ${advice}`);
}

function show(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'object' ? stringify(value, { lineWidth: 0 }).trimEnd() : String(value);
}
