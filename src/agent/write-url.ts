import { dirname } from 'node:path';
import { isMap, parseDocument } from 'yaml';
import { OperatorError } from '../core/errors.ts';
import { EXIT } from './exit-codes.ts';
import { makeFolder } from './places.ts';
import { readFollowing } from './read-hostile.ts';
import { writeAtomically } from './write-atomically.ts';

const LARGEST = 1024 * 1024;

const fresh = (
  url: string,
): string => `# Settings of penguindome-agent. What stands in agent.d/*.yml goes before what stands here.
# Durations are a number and s, m, h or d; sizes a number and K, M or G.

# the server; written by penguindome-agent enroll
url: ${url}

# collect_interval: 10m
# submit_interval: 60s
# collectors:
#   disabled: [network_devices]
# plugins:
#   timeout: 1h
# spool:
#   max_size: 64M
`;

/** Sets `url` in agent.yml, keeping comments and order; makes the file where there is none. */
export async function writeUrl(file: string, url: string): Promise<void> {
  await makeFolder(dirname(file), 0o755);
  const text = (await readFollowing(file, LARGEST))?.toString('utf8') ?? fresh(url);
  const document = parseDocument(text);
  if (document.errors.length > 0 || (document.contents !== null && !isMap(document.contents))) {
    throw new OperatorError(`cannot write the server's URL into ${file}: it is not YAML that holds keys`, {
      exitCode: EXIT.notSetUp,
    });
  }
  // What follows an empty key would become the value's comment.
  if (document.get('url') === null) document.delete('url');
  if (document.get('url') !== url) document.set('url', url);
  await writeAtomically(file, document.toString({ lineWidth: 0 }), 0o644);
}
