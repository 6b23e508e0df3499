import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { parseServerSettings } from '../../src/settings/load-server-settings.ts';
import { configMapOf, FOLDER, podOf, readManifests } from '../e2e/support/manifests.ts';
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
