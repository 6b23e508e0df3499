import { readFile } from 'node:fs/promises';
import type { ExecutionContext } from 'ava';
import { COLLECTORS } from '../../../src/agent/collectors/index.ts';
import { loadSigningKey } from '../../../src/crypto/ed25519.ts';
import { type Machine, type MachineOptions, newMachine } from './machine.ts';
import { type AgentOptions, type Ended, runAgent, startAgent } from './program.ts';
import type { Site } from './site.ts';

/** All that look at more than one small file. */
export const SLOW = COLLECTORS.map(({ name }) => name)
  .filter((name) => name !== 'os_info')
  .join(', ');

/** A host whose agent is the built program. */
export interface BuiltHost {
  hostname: string;
  machine: Machine;
  run(...args: string[]): Promise<Ended>;
  start(...args: string[]): ReturnType<typeof startAgent>;
  /** what the plugin `news` says from now on; without it something new each time */
  says(text: string): Promise<void>;
}

/** Settings of a host of this name that looks at little, so that it is quick. */
export function settingsOf(hostname: string): string {
  return `hostname: ${hostname}\ncollectors: {disabled: [${SLOW}]}\n`;
}

/** Not enrolled yet. @param options `state`: another machine's folder, which is what a cloned disk is */
export async function builtHost(
  t: ExecutionContext,
  hostname = 'testhost',
  options: Pick<MachineOptions, 'state'> & AgentOptions = {},
): Promise<BuiltHost> {
  const { state, ...given } = options;
  const machine = await newMachine(t, { hostname, ...(state === undefined ? {} : { state }) });
  await machine.settings(settingsOf(hostname));
  const start = (...args: string[]) => startAgent(['--state', machine.state, ...args], given);
  const host: BuiltHost = {
    hostname,
    machine,
    start,
    run: (...args) => start(...args).ended,
    says: async (text) => {
      await machine.plugin('news', `#!/bin/sh\nprintf '"%s"' '${text}'\n`);
    },
  };
  await machine.plugin('news', `#!/bin/sh\nprintf '"'; cat /proc/sys/kernel/random/uuid | tr -d '\\n'; printf '"'\n`);
  return host;
}

export async function enrolHost(
  t: ExecutionContext,
  site: Site,
  { machine }: BuiltHost,
  approve = true,
): Promise<void> {
  const said = await runAgent(['--state', machine.state, 'enroll'], { input: await site.token({ approve }) });
  t.is(said.status, 0, said.err);
}

/** Enrolled, and has reported once. */
export async function reportingHost(t: ExecutionContext, site: Site, hostname = 'testhost'): Promise<BuiltHost> {
  const host = await builtHost(t, hostname);
  await enrolHost(t, site, host);
  await reports(t, host);
  return host;
}

/** Collects and hands over: all of it was taken. */
export async function reports(t: ExecutionContext, { run }: BuiltHost): Promise<void> {
  const said = await run('--json', 'run', '--now');
  t.is(said.status, 0, said.err);
  t.like(JSON.parse(said.out), { submitted: { waiting: 0, bad: [], gone: [] } });
}

export async function keyOf({ machine }: BuiltHost): Promise<string> {
  return loadSigningKey(await readFile(machine.places.identity, 'utf8')).id;
}
