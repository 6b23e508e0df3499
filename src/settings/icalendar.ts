/**
 * iCalendar (RFC 5545) as far as holidays need it: the events of a calendar, each with its properties as written.
 * What is in other components (time zones, alarms) is passed over.
 */

export interface Property {
  /** upper case */
  name: string;
  /** upper-case names */
  parameters: ReadonlyMap<string, string>;
  value: string;
  /** of the file, where it begins */
  line: number;
}

export interface CalendarEvent {
  /** of its BEGIN */
  line: number;
  properties: Property[];
}

export interface Fault {
  line: number;
  reason: string;
}

/** Reads the text of a file. What is wrong with it as a calendar is named; the events that are whole are there. */
export function readCalendar(text: string): { events: CalendarEvent[]; faults: Fault[] } {
  const events: CalendarEvent[] = [];
  const faults: Fault[] = [];
  const open: string[] = [];
  let event: CalendarEvent | undefined;
  let last = 1;
  for (const { line, content } of unfolded(text)) {
    last = line;
    const property = parse(content, line);
    if (typeof property === 'string') {
      faults.push({ line, reason: property });
      continue;
    }
    const { name, value } = property;
    const component = value.toUpperCase();
    if (open.length === 0 && !(name === 'BEGIN' && component === 'VCALENDAR')) {
      faults.push({ line, reason: `expected BEGIN:VCALENDAR, found ${short(content)}` });
      return { events, faults };
    }
    if (name === 'BEGIN') {
      open.push(component);
      if (open.join('.') === 'VCALENDAR.VEVENT') event = { line, properties: [] };
    } else if (name === 'END') {
      if (open.at(-1) !== component) {
        faults.push({ line, reason: `expected END:${open.at(-1)}, found END:${short(value)}` });
        return { events, faults };
      }
      if (open.join('.') === 'VCALENDAR.VEVENT' && event !== undefined) events.push(event);
      open.pop();
    } else if (open.join('.') === 'VCALENDAR.VEVENT') event?.properties.push(property);
  }
  if (open.length > 0) faults.push({ line: last, reason: `expected END:${open.at(-1)}, found the end of the file` });
  else if (events.length === 0 && faults.length === 0)
    faults.push({ line: last, reason: 'expected an event, found none' });
  return { events, faults };
}

/** Section 3.1: a line that begins with white space goes on with the one before. */
function* unfolded(text: string): Generator<{ line: number; content: string }> {
  let at: { line: number; content: string } | undefined;
  for (const [index, content] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    if (/^[ \t]/.test(content) && at !== undefined) at.content += content.slice(1);
    else {
      if (at !== undefined && at.content !== '') yield at;
      at = { line: index + 1, content };
    }
  }
  if (at !== undefined && at.content !== '') yield at;
}

const LINE = /^([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(.*)$/s;
const PARAMETER = /;([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:])*)/g;

function parse(content: string, line: number): Property | string {
  const match = LINE.exec(content);
  if (match === null) return `expected NAME:VALUE, found ${short(content)}`;
  const [, name = '', parameters = '', value = ''] = match;
  const read = [...parameters.matchAll(PARAMETER)].map(([, key = '', text = '']): [string, string] => [
    key.toUpperCase(),
    text.replaceAll('"', ''),
  ]);
  return { name: name.toUpperCase(), parameters: new Map(read), value, line };
}

const LONGEST_SHOWN = 40;

export function short(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}
