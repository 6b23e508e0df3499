import { stat } from 'node:fs/promises';
import { constants } from 'node:os';
import { seconds } from '../core/duration.ts';
import { runCommand } from './run-command.ts';
import type { Trouble } from './trouble.ts';

const SYSTEMCTL = '/usr/bin/systemctl';
const LIMIT = seconds(10);
const NAMES = ['enroll', 'collect', 'collect-online', 'submit', 'rotate-key', 'apply'];
const UNITS = NAMES.map((name) => `penguindome-${name}.service`);
const PROPERTIES = ['Id', 'LoadState', 'ActiveState', 'Result', 'ExecMainStatus', 'ExecCondition', 'DropInPaths'];

/** What keeps the agent's units from starting the agent at all, so that nothing else can tell it; nothing where systemd does not answer. */
export async function readUnitTroubles(signal: AbortSignal): Promise<Trouble[]> {
  const systemd = await stat('/run/systemd/system').catch(() => undefined);
  if (systemd === undefined) return [];
  const args = ['show', `--property=${PROPERTIES.join(',')}`, '--', ...UNITS];
  const shown = await runCommand({ path: SYSTEMCTL, args, timeout: LIMIT, maxOutput: 65_536, env: {}, signal });
  return shown.code === 0 ? unitTroubles(shown.stdout) : [];
}

/** @param shown by `systemctl show`: a block of NAME=VALUE for each unit */
export function unitTroubles(shown: string): Trouble[] {
  return shown.split(/\n\n+/).flatMap((block) => {
    const lines = block.split('\n').map((line): [string, string] => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)];
    });
    const unit = new Map(lines);
    const what = troubleOf(unit);
    return what === undefined ? [] : [{ code: 'unit', what, advice: adviceOn(unit) }];
  });
}

type Unit = ReadonlyMap<string, string>;

/** What systemd itself ends with before the program is there; the program's own status is told by itself (systemd.exec(5)). */
const BEFORE_START = 200;
const { SIGTERM } = constants.signals;

function troubleOf(unit: Unit): string | undefined {
  const [id, load, result] = ['Id', 'LoadState', 'Result'].map((name) => unit.get(name) ?? '');
  const dropIns = unit.get('DropInPaths') ?? '';
  const by = dropIns === '' ? '' : `; drop-ins that count: ${dropIns.split(' ').join(', ')}`;
  if (load === 'bad-setting' || load === 'error') return `systemd cannot use ${id}: it is broken (${load})${by}`;
  if (load === 'masked') return `${id} is masked: it does not run`;
  // What asks whether a run is due is started first, and systemd takes every status of it for a no.
  const asked = Number(/; status=(\d+)/.exec(unit.get('ExecCondition') ?? '')?.[1] ?? 0);
  if (asked >= BEFORE_START) return `systemd cannot start ${id} (exit status ${asked})${by}`;
  if (unit.get('ActiveState') !== 'failed') return undefined;
  const status = Number(unit.get('ExecMainStatus'));
  if (result === 'exit-code' && status < BEFORE_START) return undefined;
  // Stopped, as an upgrade does: the timer starts it again.
  if (result === 'signal' && status === SIGTERM) return undefined;
  return result === 'exit-code'
    ? `systemd cannot start ${id} (exit status ${status})${by}`
    : `${id} came to an end that was not its own (${result})${by}`;
}

function adviceOn(unit: Unit): string {
  const id = unit.get('Id');
  if (unit.get('LoadState') === 'masked') return `systemctl unmask ${id}, where that is not meant`;
  return unit.get('DropInPaths') === ''
    ? `systemctl status ${id} says why`
    : `systemctl status ${id} says why; put the drop-in right, or take it away (systemctl revert ${id}), then: systemctl daemon-reload; systemctl restart penguindome-agent.target`;
}
