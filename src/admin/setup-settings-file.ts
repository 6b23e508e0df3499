import { dirname, relative } from 'node:path';
import { stringify } from 'yaml';
import { tlsFolder } from '../settings/tls-folder.ts';
import type { MongoAnswers, SetupAnswers } from './setup-answers.ts';
import type { Layout } from './setup-layout.ts';

/** The first settings file: every answer, and in comments what else may be set. */
export function renderSettings(answers: SetupAnswers, layout: Layout): string {
  const path = (to: string) => scalar(shortest(layout, to));
  return `# Settings of the PenguinDome server. Durations are a number and s, m, h or d; relative paths count from this file's folder.
# Change them here or with \`penguindome settings set\`; \`penguindome-server --check-config\` says whether the server would start.

# What agents connect to: https://host:port, without a path.
public_url: ${scalar(answers.publicUrl)}

# Where the server listens. A port that is \`deprecated: true\` still answers, and opens an issue for each host that uses it.
ports:
  - port: ${answers.port}
    # host: 192.0.2.1 # one address only; all of IPv6 and IPv4 where absent
    tls:${tls(answers, layout)}
    deprecated: false

# On 127.0.0.1 only, without TLS: /healthz, /readyz and the endpoints.
local_port: ${answers.localPort}

# Workers that answer requests; as many as there are cores where absent.
# processes: 2

# Proxies before this server: only theirs is the header X-Forwarded-For by which it knows where a request came from.
# trusted_proxies: [192.0.2.7, 10.0.0.0/8]

# Where what hosts report is kept: embedded (one file, no server) or mongo.
store:
${store(answers, layout, path)}
# The server's own folder (the certificates that are made for it are in tls/ below), the site's CA, and the server's keys. None of them is for others to read.
state: ${path(layout.state)}
pki: ${path(layout.pki)}
keys: ${path(layout.keys)}

# Who may use the endpoints that people and scripts use: addresses, users and groups; any one of them lets in. Users, groups and passwords
# are in the file of accounts: \`penguindome passwords\`, \`penguindome groups\`.
# accounts: accounts.yml
# server_auth:
#   download_release: {ipranges: [192.0.2.0/24], users: [fred]}
#   pipe_create: {groups: [admins]}

log:
  # debug, info, warn or error
  level: ${answers.logLevel}

# What new agents are told.
agents:
  collect_interval: ${answers.collectInterval}
  submit_interval: ${answers.submitInterval}

audit:
  enabled: ${answers.audit}
  # Who gets what the audit says.
  ${answers.mail === undefined ? '# mail: admins@example.org' : `mail: ${scalar(answers.mail)}`}
  # business:
  #   time_zone: Europe/Berlin
  #   days: [mon, tue, wed, thu, fri]
  #   from: "09:00"
  #   to: "17:00"
  #   holidays: [2027-01-01]
  #   holiday_files: [holidays.ics]

# Where alerts go beside the terminal: docs/delivery.md. \`penguindome delivery test\` tries it.
delivery:
  # journal: {severity: low}
  # mail: {to: [admins@example.org], severity: medium}
  # user_mail: {enabled: true, severity: medium}
  # smtp: {host: mail.example.org, tls: starttls, user: penguindome, password_file: keys/smtp-password, from: penguindome@example.org}
  # webhooks:
  #   - {name: ops, url: https://hooks.example.org/x, secret_file: keys/webhook-ops, severity: high}
  #   - {name: chat, format: slack, url_file: keys/webhook-chat-url}
  # templates: templates
  # give_up_after: 3d

# Protocol v1: hosts that still run the original client. \`penguindome migrate\` brings its keys.
v1:
  enabled: ${answers.v1 !== false}
  ${answers.v1 === false ? '# ' : ''}client_key: ${path(`${layout.keys}/v1-client.asc`)}

# Folders of *.yaml files: checks beside those that come with the product, and what is to be different of these.
checks: [${path(layout.checks)}]
# The kind of machines that it looks after: laptop, server or minimal (few checks, that matter everywhere); all checks where absent.
# checks_profile: laptop
# Folder of Arch Linux's security advisories (all.json), which the packages of hosts are matched against.
# advisories: /var/lib/penguindome/advisories

# Limits on everything that comes from outside, in bytes where nothing else is said; these are the defaults.
limits:
  # body: 4194304
  # decompressed: 16777216
  # headers_timeout: 10s
  # request_timeout: 30s
  # connections: 10000
  # json_depth: 64
  # json_keys: 50000
  # document: 12582912
  # Enrolments that one address may ask for in a minute.
  # enroll_rate: 30
`;
}

function tls({ tls: answer }: SetupAnswers, layout: Layout): string {
  if (answer === 'none') return ' false';
  const made = shortest(layout, tlsFolder(layout));
  const { certificate, key } =
    answer === 'made' ? { certificate: `${made}/server.crt`, key: `${made}/server.key` } : answer;
  return `\n      certificate: ${scalar(certificate)}\n      key: ${scalar(key)}`;
}

function store({ store: answer }: SetupAnswers, layout: Layout, path: (to: string) => string): string {
  if (answer === 'embedded') return `  kind: embedded\n  file: ${path(`${layout.store}/penguindome.db`)}\n`;
  const lines = {
    kind: 'mongo',
    hosts: answer.hosts,
    ...(answer.replicaSet === undefined ? {} : { replica_set: answer.replicaSet }),
    database: answer.database,
    ...(answer.user === undefined ? {} : { user: answer.user }),
    ...passwordFile(answer, layout),
    ...(answer.tls === undefined ? {} : { tls: true, ...answer.tls }),
  };
  return stringify(lines, { lineWidth: 0 }).replace(/^/gm, '  ').trimEnd().concat('\n');
}

function passwordFile({ password }: MongoAnswers, layout: Layout): { password_file?: string } {
  if (password === undefined) return {};
  return { password_file: 'file' in password ? password.file : `${shortest(layout, layout.keys)}/mongo-password` };
}

/** Relative where the folder is below the settings file's own, so that the whole can be moved. */
function shortest(layout: Layout, to: string): string {
  const path = relative(dirname(layout.settings), to);
  return path.startsWith('..') ? to : path;
}

/** On one line, quoted where YAML needs it. */
function scalar(text: string): string {
  return stringify(text, { lineWidth: 0, defaultKeyType: 'PLAIN' }).trimEnd();
}
