import { formatDuration, type Milliseconds, minutes, seconds } from '../../core/duration.ts';
import { messageOf } from '../../core/errors.ts';
import { type Collector, type CollectorTools, type HostAccess, UNKNOWN } from '../collector.ts';

/** One thing that a collector finds out; several make up a report's `plugins.NAME`. */
export interface Fact {
  /** its key there: lower case, digits and `_` */
  readonly name: string;
  /** after which it is unknown; 20 s where absent */
  readonly timeout?: Milliseconds;
  /** what was found out is told for that long without looking again: for what is slow to find out, and changes slowly */
  readonly interval?: Milliseconds;
  /**
   * @returns a JSON value, which may hold `unknown(…)` wherever nothing can be said; undefined where the question has no place on this machine
   * @throws anything: the fact is unknown, with the message as its reason
   */
  look(host: HostAccess, tools: CollectorTools): Promise<unknown>;
}

class Unknown {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** Stands where a fact, or a part of it, cannot be told. @param reason what a person reads: "cannot …", or what is missing */
export function unknown(reason: string): Unknown {
  return new Unknown(reason);
}

export function isUnknown(value: unknown): value is Unknown {
  return value instanceof Unknown;
}

const TIMEOUT = seconds(20);
/** Each may start a program: more would not be faster, and hold the machine up. */
const AT_ONCE = 4;

/**
 * A collector made of facts that do not depend on one another: what one of them cannot tell, takes too long or fails over does not keep
 * the others back. Reports `{FACT: value}`, with `"unknown"` where nothing can be said, and then `reasons: {PATH: why}`.
 */
export function group(name: string, describe: string, facts: readonly Fact[]): Collector {
  return { name, describe, timeout: minutes(10), collect: (host, tools) => lookAtAll(facts, host, tools) };
}

interface Finding {
  name: string;
  value: unknown;
  reasons: Record<string, string>;
}

async function lookAtAll(facts: readonly Fact[], host: HostAccess, tools: CollectorTools): Promise<unknown> {
  const findings: Finding[] = [];
  const left = [...facts];
  const worker = async () => {
    for (let fact = left.shift(); fact !== undefined; fact = left.shift()) findings.push(await find(fact, host, tools));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  findings.sort((a, b) => (a.name < b.name ? -1 : 1));
  const reasons = Object.assign({}, ...findings.map((finding) => finding.reasons));
  const values = findings.filter(({ value }) => value !== undefined).map(({ name, value }) => [name, value]);
  return { ...Object.fromEntries(values), ...(Object.keys(reasons).length === 0 ? {} : { reasons }) };
}

async function find(fact: Fact, host: HostAccess, tools: CollectorTools): Promise<Finding> {
  const { name, interval } = fact;
  const kept = interval === undefined ? undefined : await tools.recall(name);
  const age = kept === undefined ? Number.POSITIVE_INFINITY : host.now().getTime() - kept.at.getTime();
  // A clock that was ahead when it was kept says nothing about its age.
  if (kept !== undefined && interval !== undefined && age >= 0 && age < interval) {
    return { name, value: kept.value, reasons: {} };
  }
  const reasons: Record<string, string> = {};
  const value = tellReasons(await inTime(fact, host, tools), name, reasons);
  // What could not be told is asked again the next time.
  if (interval !== undefined && value !== undefined && Object.keys(reasons).length === 0) await tools.keep(name, value);
  return { name, value, reasons };
}

async function inTime(fact: Fact, host: HostAccess, tools: CollectorTools): Promise<unknown> {
  const limit = fact.timeout ?? TIMEOUT;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Unknown>((resolve) => {
    timer = setTimeout(() => resolve(unknown(`it did not end within ${formatDuration(limit)}`)), limit);
  });
  try {
    return await Promise.race([fact.look(host, tools), late]);
  } catch (error) {
    return unknown(messageOf(error));
  } finally {
    clearTimeout(timer);
  }
}

/** @returns the value with words where there was nothing to tell; why goes into `reasons`, by path */
function tellReasons(value: unknown, path: string, reasons: Record<string, string>): unknown {
  if (isUnknown(value)) {
    reasons[path] = value.reason;
    return UNKNOWN;
  }
  if (Array.isArray(value)) return value.map((member, index) => tellReasons(member, `${path}.${index}`, reasons));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, tellReasons(member, `${path}.${key}`, reasons)]),
  );
}
