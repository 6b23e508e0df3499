import { OperatorError } from '../core/errors.ts';
import { type PlainGroup, readAgentSettings } from '../settings/agent-settings-file.ts';
import { EXIT } from './exit-codes.ts';

/** Settings that all machines of a site get. What would be one machine's alone has no place in them. */
export async function readSiteSettings(file: string): Promise<PlainGroup> {
  const own = await readAgentSettings(file);
  if (own['hostname'] === undefined) return own;
  throw new OperatorError(`cannot use ${file}: with \`hostname\` all machines would report under one name`, {
    exitCode: EXIT.usage,
  });
}

/** @throws OperatorError where these settings lead elsewhere than the token does */
export function refuseOtherUrl(file: string | undefined, own: PlainGroup, url: string): void {
  if (own['url'] === undefined || own['url'] === url) return;
  throw new OperatorError(
    `cannot use ${file}: its url is ${own['url']}, and that of the token is ${url}; leave it out`,
    { exitCode: EXIT.usage },
  );
}
