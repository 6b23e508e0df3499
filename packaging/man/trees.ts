import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { commands, type Speaker } from '../../src/admin/commands.ts';
import type { AdminContext } from '../../src/admin/context.ts';
import { makeOutput } from '../../src/admin/output.ts';
import { agentCommands } from '../../src/agent/commands.ts';

const unused = (): never => {
  throw new Error('to build the tree must open nothing');
};

const silent: Pick<Speaker, 'writeOut' | 'writeError'> = { writeOut: () => undefined, writeError: () => undefined };

/** What commands that are only looked at are made with: to use any of it is a mistake. */
export function operatorContext(): AdminContext {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const { signal } = new AbortController();
  return {
    settings: unused,
    settingsFile: unused,
    store: unused,
    openStore: unused,
    judge: unused,
    audit: unused,
    checks: unused,
    delivery: unused,
    concerns: unused,
    operator: unused,
    clock: { now: unused },
    random: { uuid: unused, bytes: unused },
    output: makeOutput(streams, { wantsJson: () => false, noColor: true, signal }),
    stdin: streams.stdin,
    stdout: streams.stdout,
    signal,
  };
}

/** All of `penguindome`, to be looked at: none of its commands would run. */
export function operatorTree(speaker = silent): Command {
  return commands(operatorContext(), { version: '0.0.0', ...speaker });
}

/** All of `penguindome-agent`, to be looked at. */
export function agentTree(): Command {
  return agentCommands({ version: '0.0.0', write: silent.writeOut, writeError: silent.writeError }, unused);
}

/** A tree's commands, each after the one that it is below. */
export function everyCommand(command: Command, members = (of: Command): readonly Command[] => of.commands): Command[] {
  return [command, ...members(command).flatMap((member) => everyCommand(member, members))];
}
