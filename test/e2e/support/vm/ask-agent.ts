import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { Ssh } from './ssh.ts';

const FOLDER = '/opt/penguindome';
const answer = z.object({ status: z.number(), stdout: z.string() });

export interface AgentSpeaker {
  /** One command of the agent. @returns what it printed @throws where it fails, or says nothing for a minute */
  ask(...args: string[]): Promise<string>;
}

/** Starts test/fixtures/machine/ask-agent.mjs as this user of the machine; it ends with the connection. */
export async function askAgent(ssh: Ssh, user: string): Promise<AgentSpeaker> {
  const child = ssh.open(`exec runuser -u ${user} -- node ${FOLDER}/ask-agent.mjs ${FOLDER}`);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (seconds: number): Promise<unknown> => {
    const line = await Promise.race([lines.next(), sleep(seconds * 1000, undefined, { ref: false })]);
    if (line === undefined || line.done === true) throw new Error(`the agent says nothing more: ${stderr}`);
    return JSON.parse(line.value);
  };
  await next(120);
  return {
    async ask(...args) {
      child.stdin.write(`${JSON.stringify(args)}\n`);
      const { status, stdout } = answer.parse(await next(60));
      if (status !== 0)
        throw new Error(`penguindome-agent ${args.join(' ')}: exit status ${status}\n${stdout}${stderr}`);
      return stdout;
    },
  };
}
