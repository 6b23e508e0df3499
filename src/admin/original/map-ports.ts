import { resolve } from 'node:path';
import { type Notes, type Section, sectionOf } from './section.ts';

export interface OriginalPort {
  port: number;
  deprecated: boolean;
  /** files of the original, absolute */
  tls: false | { certificate: string; key: string };
}

const DEFAULT_PORT = 80;
const THREADED = 'requests are answered by several processes here: `processes` in the settings says how many';
const UNKNOWN = 'the original knows no such key of a port, nor does anything here';

/** The ports that the original listens on. What a port does not say itself, it has from the top of the settings. */
export function mapPorts(server: Section, dir: string, notes: Notes): OriginalPort[] {
  const everywhere = defaultsOf(server, server.below('ssl'));
  const given = server.at('port') ?? server.at('ports') ?? DEFAULT_PORT;
  if (server.at('threaded') !== undefined) server.leave('threaded', THREADED);
  if (typeof given !== 'object' || Array.isArray(given)) {
    const list = Array.isArray(given) ? given : [given];
    return list.flatMap((port: unknown) => portOf(server, port, everywhere, dir));
  }
  const ports = sectionOf(given, notes, 'port');
  // a port that says nothing itself (`8080:`) is one too
  return Object.keys(given).flatMap((name) => {
    const own = ports.below(name);
    const said = defaultsOf(own, own.below('ssl'));
    if (own.at('threaded') !== undefined) own.leave('threaded', THREADED);
    own.rest(UNKNOWN);
    return portOf(ports, Number(name), withDefaults(said, everywhere), dir, name);
  });
}

interface Said {
  deprecated?: boolean | undefined;
  enabled?: boolean | undefined;
  certificate?: string | undefined;
  key?: string | undefined;
}

function defaultsOf(section: Section, ssl: Section): Said {
  const said = {
    deprecated: section.flag('deprecated'),
    enabled: ssl.flag('enabled'),
    certificate: ssl.text('certificate'),
    key: ssl.text('key'),
  };
  if (ssl.at('self_signed') !== undefined) ssl.leave('self_signed', 'the certificate itself shows who signed it');
  ssl.rest(UNKNOWN);
  return said;
}

function withDefaults(own: Said, everywhere: Said): Said {
  return {
    deprecated: own.deprecated ?? everywhere.deprecated,
    enabled: own.enabled ?? everywhere.enabled,
    certificate: own.certificate ?? everywhere.certificate,
    key: own.key ?? everywhere.key,
  };
}

function portOf(section: Section, port: unknown, said: Said, dir: string, name = 'port'): OriginalPort[] {
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65535) {
    section.wrong(name, 'a port from 1 to 65535');
    return [];
  }
  const { certificate, key, deprecated = false } = said;
  // as the original decides it
  if (!(said.enabled ?? certificate !== undefined)) return [{ port, deprecated, tls: false }];
  if (certificate === undefined || key === undefined) {
    section.wrong(name, 'both ssl:certificate and ssl:key for a port with TLS');
    return [];
  }
  // the original counts from its own folder
  return [{ port, deprecated, tls: { certificate: resolve(dir, certificate), key: resolve(dir, key) } }];
}
