import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { scratchFolder } from './scratch.ts';

/** Node has no unix datagram sockets: Python listens where systemd would, and prints what it is told. */
const LISTENER = `
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("listening", flush=True)
while True:
    message, ancillary, flags, address = s.recvmsg(65536, 4096)
    # the descriptor of BARRIER=1: systemd-notify waits until everybody has closed it
    for level, kind, data in ancillary:
        if kind == socket.SCM_RIGHTS:
            for descriptor in array.array("i", data[:len(data) // 4 * 4]): os.close(descriptor)
    for line in message.decode().split("\\n"):
        if line: print(line, flush=True)
`;

export interface NotifySocket {
  path: string;
  /** assignments so far, in order */
  told: string[];
  /** Waits until one begins so. */
  waitFor(beginning: string): Promise<string>;
}

export async function notifySocket(t: ExecutionContext): Promise<NotifySocket> {
  const path = join(await scratchFolder(t), 'notify');
  const child = spawn('python3', ['-c', LISTENER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => void child.kill('SIGKILL'));
  const told: string[] = [];
  let rest = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    told.push(...lines);
  });
  const waitFor = async (beginning: string): Promise<string> => {
    for (;;) {
      const found = told.find((line) => line.startsWith(beginning));
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await waitFor('listening');
  told.length = 0;
  return { path, told, waitFor };
}
