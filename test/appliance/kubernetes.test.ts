import { spawnSync } from 'node:child_process';
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { parseServerSettings } from '../../src/settings/load-server-settings.ts';
import { openIdentityLog } from '../../src/store/identity-log.ts';
import { configMapOf, FOLDER, podOf, readManifests } from '../e2e/support/manifests.ts';
import { anEnrollment } from '../support/documents.ts';
import { validate, withKubernetesValidate } from '../support/kubernetes-validate.ts';
import { scratchFolder } from '../support/scratch.ts';

/** The oldest that somebody may still run, and the newest there is. */
const VERSIONS = ['1.30', '1.37'];

withKubernetesValidate('all manifests are what Kubernetes takes, and nothing that it does not know', async (t) => {
  const files = (await readdir(FOLDER)).filter((name) => name.endsWith('.yaml'));
  t.true(files.length > 3);
  for (const file of files) {
    for (const version of VERSIONS) {
      const { valid, said } = validate(join(FOLDER, file), version);
      t.true(valid, `${file}, ${version}: ${said}`);
    }
  }
});

withKubernetesValidate('a manifest with a field that is misspelt, missing or of another type is refused', async (t) => {
  const whole = await readFile(join(FOLDER, 'penguindome.yaml'), 'utf8');
  const folder = await scratchFolder(t);
  for (const [from, to] of [
    ['runAsNonRoot: true', 'runAsNonroot: true'],
    ['  schedule: "7 * * * *"\n', ''],
    ['terminationGracePeriodSeconds: 30', 'terminationGracePeriodSeconds: soon'],
  ] as const) {
    t.true(whole.includes(from), from);
    const file = join(folder, 'broken.yaml');
    await writeFile(file, whole.replace(from, to));
    const { valid, said } = validate(file, '1.37');
    t.false(valid, `${to}: ${said}`);
  }
});

const OBJECTS = ['penguindome.yaml', 'embedded.yaml', 'mongo.yaml', 'alerts.yaml'];
const PODS = [
  ['StatefulSet', 'penguindome'],
  ['CronJob', 'penguindome-audit'],
  ['CronJob', 'penguindome-backup'],
] as const;

test('no pod is root, has a capability, a token or a root that can be written to, nor memory without a limit', async (t) => {
  const objects = await readManifests(...OBJECTS);
  for (const [kind, name] of PODS) {
    // rights are in the schema that this is read with
    const { containers, initContainers } = podOf(objects, kind, name);
    t.true(containers.length > 0);
    for (const container of [...containers, ...initContainers]) {
      t.truthy(container.resources.limits.memory, `${name}, ${container.name}`);
      t.truthy(container.resources.requests.cpu, `${name}, ${container.name}`);
    }
  }
});

test('what signs orders is mounted where operators work, and nowhere that agents speak with', async (t) => {
  const objects = await readManifests(...OBJECTS);
  for (const [kind, name] of PODS) {
    const { containers, volumes } = podOf(objects, kind, name);
    const secret = volumes
      .filter((volume) => volume.secret?.secretName === 'penguindome-orders' || volume.name === 'operators-keys')
      .map((volume) => volume.name);
    const seeing = containers.filter(({ volumeMounts }) => volumeMounts.some((mount) => secret.includes(mount.name)));
    t.deepEqual(
      seeing.map((container) => container.name),
      kind === 'StatefulSet' ? ['operate'] : [],
      name,
    );
  }
});

const SERVER = { matchLabels: { 'app.kubernetes.io/name': 'penguindome', 'app.kubernetes.io/component': 'server' } };
const AUDIT = { matchLabels: { 'app.kubernetes.io/name': 'penguindome', 'app.kubernetes.io/component': 'audit' } };
const tcp = (port: number) => ({ port, protocol: 'TCP' });
const DNS = {
  to: [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    },
  ],
  ports: [{ port: 53, protocol: 'UDP' }, tcp(53)],
};
const MONGODB = {
  to: [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'mongodb' } },
      podSelector: { matchLabels: { 'app.kubernetes.io/name': 'mongodb' } },
    },
  ],
  ports: [tcp(27017)],
};
const RECEIVERS = {
  to: [{ ipBlock: { cidr: '0.0.0.0/0', except: ['169.254.0.0/16'] } }, { ipBlock: { cidr: '::/0' } }],
  ports: [tcp(443), tcp(587)],
};

test('all is denied on the network, but what these policies name, file by file: a rule more would be found', async (t) => {
  const policies = async (file: string) =>
    (await readManifests(file))
      .filter(({ kind }) => kind === 'NetworkPolicy')
      .map(({ metadata, ...rest }) => [metadata.name, rest['spec']]);
  t.deepEqual(await policies('penguindome.yaml'), [
    // without a rule, which is what denies
    ['deny-all', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }],
    ['agents-to-server', { podSelector: SERVER, policyTypes: ['Ingress'], ingress: [{ ports: [tcp(8443)] }] }],
  ]);
  t.deepEqual(await policies('embedded.yaml'), []);
  t.deepEqual(await policies('mongo.yaml'), [
    ['to-dns', { podSelector: {}, policyTypes: ['Egress'], egress: [DNS] }],
    [
      'to-mongodb',
      {
        podSelector: { matchLabels: { 'app.kubernetes.io/name': 'penguindome' } },
        policyTypes: ['Egress'],
        egress: [MONGODB],
      },
    ],
  ]);
  t.deepEqual(await policies('alerts.yaml'), [
    ['audit-to-receivers', { podSelector: AUDIT, policyTypes: ['Egress'], egress: [RECEIVERS, DNS] }],
  ]);
  t.deepEqual(
    (await readdir(FOLDER)).filter((name) => name.endsWith('.yaml')).sort(),
    [...OBJECTS].sort(),
    'no other file has policies',
  );
});

test("a server's volume is mounted by its own pod and, of the first one, by jobs beside it", async (t) => {
  const objects = await readManifests(...OBJECTS);
  const claims = PODS.map(([kind, name]) =>
    podOf(objects, kind, name).volumes.flatMap(({ persistentVolumeClaim: claim }) => claim?.claimName ?? []),
  );
  t.deepEqual(claims, [[], ['state-penguindome-0'], ['state-penguindome-0', 'penguindome-backups']]);
});

test('the line of the documentation makes one list of identities out of those of several servers, in the order of time', async (t) => {
  const [, line = ''] = /^ {4}(sed .* lists\/.*)$/m.exec(await readFile('docs/deploy.md', 'utf8')) ?? [];
  const folder = await scratchFolder(t);
  const at = (minute: number) => new Date(Date.UTC(2026, 10, 30, 12, minute));
  const event = (minute: number, what: 'enrolled' | 'revoked') => ({
    event: what,
    key_id: anEnrollment().key_id,
    hostname: `host-${minute}, "at":"2020" it says`,
    at: at(minute),
    ...(what === 'revoked' ? { why: 'it was lost "at":"home"' } : {}),
  });
  const servers = [
    [event(1, 'enrolled'), event(4, 'revoked'), event(9, 'enrolled')],
    [event(2, 'enrolled'), event(3, 'enrolled'), event(11, 'revoked')],
    [event(0, 'enrolled')],
  ];
  for (const [index, events] of servers.entries()) {
    const list = openIdentityLog(join(folder, `lists/penguindome-${index}.log`));
    for (const each of events) await list.append(each);
  }
  // a list that a crash cut off, and one of a server that wrote none yet
  await appendFile(join(folder, 'lists/penguindome-0.log'), '{"event":"enrolled","key_id":"x","at":"20');
  await writeFile(join(folder, 'lists/penguindome-3.log'), '');
  const { status, stderr } = spawnSync('sh', ['-euc', line], { cwd: folder, encoding: 'utf8' });
  t.is(status, 0, stderr);
  const merged = await openIdentityLog(join(folder, 'identities.log')).read();
  t.deepEqual(
    merged.events,
    servers.flat().sort((a, b) => a.at.getTime() - b.at.getTime()),
  );
  t.is(merged.unreadable, 1);
});

test('one image and one version in all of it, and settings without a password', async (t) => {
  const objects = await readManifests(...OBJECTS);
  const images = JSON.stringify(objects).match(/"image":"[^"]+"/g);
  t.deepEqual([...new Set(images)], ['"image":"registry.example.org/penguindome-server:0.1.0"']);
  for (const store of ['embedded.yaml', 'mongo.yaml']) {
    const settings = configMapOf(await readManifests(store), 'penguindome')['server.yml'] ?? '';
    t.regex(settings, /^public_url: https:\/\/dome\.example\.org:8443$/m);
    t.notRegex(settings, /password: /);
    const { ports, processes } = parseServerSettings(settings, '/etc/penguindome/server.yml');
    t.is(ports.length, 1);
    t.is(processes, 2, 'Node counts the processors of the node, not of the pod');
  }
});
