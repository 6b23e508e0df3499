import { OperatorError } from '../core/errors.ts';
import { enroll } from './enroll.ts';
import { EXIT } from './exit-codes.ts';
import { pinAddress } from './pin-address.ts';
import { askingOf, type Session } from './session.ts';
import { leaveStatus } from './tell-status.ts';
import { destroyTokenFile, LARGEST_TOKEN, readTokenFile, tokenIn } from './token-source.ts';

export async function commandEnroll(
  session: Session,
  {
    tokenFile,
    pinAddress: pins,
    newServer,
    newKey,
  }: { tokenFile?: string; pinAddress?: true; newServer?: true; newKey?: true },
): Promise<number> {
  const { context, places, output } = session;
  const dropIn = pins === true ? unitToPin(places.pinnedAddress) : undefined;
  const settings = await session.settings();
  if (tokenFile === undefined && context.inputIsTerminal) output.note('paste the token, then Enter and Ctrl-D:');
  const token =
    tokenFile === undefined ? tokenIn(await context.readInput(LARGEST_TOKEN)) : await readTokenFile(tokenFile);
  const enrolled = await enroll({
    places,
    settings,
    token,
    newServer: newServer === true,
    newKey: newKey === true,
    world: context,
  });
  if (tokenFile !== undefined) {
    const problem = await destroyTokenFile(tokenFile);
    if (problem !== undefined)
      output.note(`penguindome-agent: cannot remove the token in ${tokenFile}: ${problem}; remove it yourself`);
  }
  await leaveStatus(askingOf(session, await session.settings()));
  const pinned = dropIn === undefined ? undefined : await pinAddress({ url: enrolled.url, dropIn });
  const { status, host_id, url, key_id, hostname } = enrolled;
  output.json({ status, host_id, key_id, hostname, server: url });
  output.line(`enrolled with ${url} as ${hostname} (host ${host_id})`);
  output.line(`key ${key_id}`);
  if (pinned !== undefined) {
    output.line(`pinned to ${pinned.join(', ')} (${dropIn}); tell systemd: systemctl daemon-reload`);
  }
  if (status === 'pending') {
    output.line('PENDING: an operator has to approve it on the server (penguindome enrollment approve);');
    output.line('until then reports wait on this host.');
  } else {
    output.line('go on with: penguindome-agent run');
  }
  return EXIT.ok;
}

/** Asked for before anything is done: an agent without a unit of its own has nothing to pin. */
function unitToPin(dropIn: string | undefined): string {
  if (dropIn !== undefined) return dropIn;
  throw new OperatorError("cannot pin the server's address: with --state there is no unit that it could be pinned in", {
    exitCode: EXIT.usage,
  });
}
