import * as v from 'valibot';
import { parseDuration } from '../core/duration.ts';
import { isHostname } from '../core/host.ts';

/** `90s`, `10m`, `4h`, `7d` → milliseconds */
export const duration = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const parsed = parseDuration(dataset.value);
    if (parsed !== undefined && parsed > 0) return parsed;
    addIssue({ message: 'expected a number above 0 and s, m, h or d, such as 10m' });
    return NEVER;
  }),
);

const UNITS: Record<string, number> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** `64M` → bytes */
const size = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const match = /^([1-9]\d{0,5})([KMG])$/.exec(dataset.value);
    const unit = UNITS[match?.[2] ?? ''];
    if (match !== null && unit !== undefined) return Number(match[1]) * unit;
    addIssue({ message: 'expected a number and K, M or G, such as 64M' });
    return NEVER;
  }),
);

/** Nothing before the host: a name and a password would be shown with the settings. */
const WEB_ADDRESS = /^https?:\/\/[^/\s?#@]+(?:\/[^\s#]*)?$/;
const webAddress = v.pipe(v.string(), v.regex(WEB_ADDRESS, 'expected a URL, such as https://address.example.org/'));
/** What a key is sent to must keep it from others on the way. */
const safeAddress = v.pipe(
  webAddress,
  v.regex(/^https:|^http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])[:/]/, 'expected a URL that begins with https://'),
);
const filePath = v.pipe(v.string(), v.regex(/^\/[^\0]+$/, 'expected the absolute path of a file'));

export const name = v.pipe(v.string(), v.minLength(1, 'expected a name'));

/** agent.yml, and over it agent.d/*.yml. Durations become milliseconds, sizes bytes. */
export const agentSettings = v.strictObject({
  /** `https://host:port`, without a path; that of the enrolment where absent */
  url: v.optional(
    v.pipe(v.string(), v.regex(/^https?:\/\/[^/\s?#@]+$/, 'expected a URL without a path, such as https://host:8443')),
  ),
  /** name to report under; the machine's own where absent */
  hostname: v.optional(v.pipe(v.string(), v.check(isHostname, 'expected a host name'))),
  collect_interval: v.optional(duration, '10m'),
  submit_interval: v.optional(duration, '60s'),
  collectors: v.optional(
    v.strictObject({
      /** names of built-in collectors that do not run */
      disabled: v.optional(v.array(name), []),
      /** names of built-in collectors that run only where they are asked for */
      enabled: v.optional(v.array(name), []),
      /** whose answer is the address that this machine has out there; nobody is asked where absent */
      ip_addresses: v.optional(v.strictObject({ url: webAddress, ca: v.optional(filePath) })),
      /** who tells where a machine with these access points around it is; off where absent */
      geolocation: v.optional(
        v.strictObject({
          url: safeAddress,
          /** file that holds the key; or the credential `geolocation-key` in $CREDENTIALS_DIRECTORY */
          key: v.optional(filePath),
          ca: v.optional(filePath),
        }),
      ),
      /** lists of packages of our own, which leave the machine's as they are: of pacman and dnf, whose own are as old as the last update */
      package_lists: v.optional(
        v.strictObject({
          /** whether the mirrors are asked for them; they are where absent */
          ask: v.optional(v.boolean()),
          /** 6h where absent */
          interval: v.optional(duration),
        }),
      ),
    }),
    {},
  ),
  plugins: v.optional(
    v.strictObject({
      /** names of plugins (file name without extension) that do not run */
      disabled: v.optional(v.array(name), []),
      /** whether those run that neither a package nor an order brought, but somebody put there */
      local: v.optional(v.boolean(), false),
      /** of each */
      timeout: v.optional(duration, '1h'),
      max_output: v.optional(size, '4M'),
      /** how many run side by side */
      at_once: v.optional(
        v.pipe(
          v.number(),
          v.integer('expected a whole number'),
          v.minValue(1, 'expected at least 1'),
          v.maxValue(64, 'expected at most 64'),
        ),
        4,
      ),
      /** what a site tells its plugins, by their names; each gets its own (docs/plugins.md). Not for secrets */
      settings: v.optional(v.record(name, v.record(v.string(), v.unknown())), {}),
    }),
    {},
  ),
  spool: v.optional(
    v.strictObject({
      /** reports that wait and their bodies; past it the oldest go first */
      max_size: v.optional(size, '64M'),
    }),
    {},
  ),
  network: v.optional(
    v.strictObject({
      connect_timeout: v.optional(duration, '10s'),
      /** of one request and its answer */
      timeout: v.optional(duration, '60s'),
    }),
    {},
  ),
});

export type AgentSettings = v.InferOutput<typeof agentSettings>;
