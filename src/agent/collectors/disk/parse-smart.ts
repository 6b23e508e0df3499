import { type Fields, isFields, type Value } from '../../../core/value.ts';
import { unknown } from '../group.ts';
import { parseJson } from '../parse-json.ts';

/** What a disk says of itself, without what changes from day to day. */
interface SmartAnswer {
  model?: string;
  /** `passed`, `failing`, or `unsupported`: it has no SMART, as virtual disks do not */
  health: unknown;
  /** of flash: `worn` from 80 % of the writing that its maker planned for, `worn-out` from 100 % or when its spare blocks are used up */
  wear?: 'ok' | 'worn' | 'worn-out';
}

const WORN = 80;
const WORN_OUT = 100;

/** `smartctl --json` (smartctl(8)): health and wear of one disk. */
export function parseSmart(text: string): SmartAnswer {
  const json = parseJson(text);
  if (!isFields(json)) return { health: unknown('smartctl printed no JSON') };
  const model = json['model_name'];
  const wear = wearOf(json);
  return {
    ...(typeof model === 'string' ? { model } : {}),
    health: healthOf(json),
    ...(wear === undefined ? {} : { wear }),
  };
}

function healthOf(json: Fields): unknown {
  const warning = field(json, 'nvme_smart_health_information_log', 'critical_warning');
  // smartctl calls any bit of it a failure, but bit 1 is the temperature, which comes and goes (NVMe Base Specification, SMART log).
  if (typeof warning === 'number') return (warning & ~2) === 0 ? 'passed' : 'failing';
  const passed = field(json, 'smart_status', 'passed');
  if (typeof passed === 'boolean') return passed ? 'passed' : 'failing';
  if (field(json, 'smart_support', 'available') === false) return 'unsupported';
  return unknown(`it does not tell its health${messageIn(json)}`);
}

function wearOf(json: Fields): SmartAnswer['wear'] {
  const nvme = json['nvme_smart_health_information_log'];
  const used = [
    field(json, 'endurance_used', 'current_percent'),
    field(json, 'nvme_smart_health_information_log', 'percentage_used'),
    json['scsi_percentage_used_endurance_indicator'],
    enduranceStatistic(json),
  ].find((each) => typeof each === 'number');
  if (isFields(nvme) && spareIsUsedUp(nvme)) return 'worn-out';
  if (typeof used !== 'number') return undefined;
  return used >= WORN_OUT ? 'worn-out' : used >= WORN ? 'worn' : 'ok';
}

function spareIsUsedUp(nvme: Fields): boolean {
  const [spare, threshold] = [nvme['available_spare'], nvme['available_spare_threshold']];
  return typeof spare === 'number' && typeof threshold === 'number' && spare < threshold;
}

/** ATA Device Statistics, page 7, offset 8: "Percentage Used Endurance Indicator". */
function enduranceStatistic(json: Fields): Value | undefined {
  const page = list(field(json, 'ata_device_statistics', 'pages')).find(({ number }) => number === 7);
  return list(page?.['table']).find(({ offset }) => offset === 8)?.['value'];
}

function messageIn(json: Fields): string {
  const said = list(field(json, 'smartctl', 'messages')).map((message) => message['string']);
  const first = said.find((each) => typeof each === 'string');
  return typeof first === 'string' ? `: ${first.slice(0, 200)}` : '';
}

function field(json: Fields, outer: string, inner: string): Value | undefined {
  const at = json[outer];
  return isFields(at) ? at[inner] : undefined;
}

function list(value: Value | undefined): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}
