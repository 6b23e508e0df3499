import { type Fields, isFields, type Value } from '../../../core/value.ts';
import { parseJson } from '../parse-json.ts';

export interface FirmwareUpdate {
  device: string;
  version: string;
  available: string;
}

/** fwupdmgr(1), EXIT STATUS: "Nothing to do, but was successful". */
const NOTHING_TO_DO = 2;
/** FWUPD_ERROR_NOTHING_TO_DO of libfwupd/fwupd-error.h, which versions since 1.8.11 print as JSON. */
const NOTHING_TO_DO_CODE = 9;

/** `fwupdmgr get-updates --json`. @returns sorted; undefined where it failed */
export function parseUpdates(stdout: string, code: number | null): FirmwareUpdate[] | undefined {
  if (code === NOTHING_TO_DO) return [];
  const json = parseJson(stdout);
  if (!isFields(json)) return undefined;
  const error = json['Error'];
  if (isFields(error)) return error['Code'] === NOTHING_TO_DO_CODE ? [] : undefined;
  const devices = json['Devices'];
  if (code !== 0 || !Array.isArray(devices)) return undefined;
  return devices
    .filter(isFields)
    .flatMap(updateOf)
    .sort((a, b) => (`${a.device} ${a.version}` < `${b.device} ${b.version}` ? -1 : 1));
}

function updateOf(device: Fields): FirmwareUpdate[] {
  // The newest comes first. A device without any has nothing to be updated to.
  const release = listOf(device['Releases'])[0];
  if (release === undefined) return [];
  return [{ device: text(device['Name']), version: text(device['Version']), available: text(release['Version']) }];
}

/**
 * The number of the Host Security ID, from `fwupdmgr security --json`, which has its attributes only: the highest level at which something
 * was found, and nothing was wrong at it or below (fwupd's fu_security_attrs_calculate_hsi).
 * @returns undefined where there is nothing to judge by, as in virtual machines, or something could not be looked at
 */
export function parseSecurity(stdout: string): number | undefined {
  const json = parseJson(stdout);
  const attributes = isFields(json) ? listOf(json['HostSecurityAttributes'] ?? json['SecurityAttributes']) : [];
  const counted = attributes.filter(
    (each) => typeof each['HsiLevel'] === 'number' && !flagsOf(each).includes('obsoleted'),
  );
  if (counted.length === 0 || counted.some((each) => flagsOf(each).includes('missing-data'))) return undefined;
  let reached = 0;
  for (let level = 1; level <= 5; level += 1) {
    const here = counted.filter((each) => each['HsiLevel'] === level);
    if (here.some((each) => !flagsOf(each).includes('success'))) break;
    if (here.length > 0) reached = level;
  }
  return reached;
}

function flagsOf(attribute: Fields): Value[] {
  const flags = attribute['Flags'];
  return Array.isArray(flags) ? flags : [];
}

function listOf(value: Value | undefined): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : [];
}

function text(value: Value | undefined): string {
  return typeof value === 'string' ? value : '';
}
