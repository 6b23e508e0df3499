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

test('all is denied on the network, but what a policy names; one image and one version in all of it', async (t) => {
  const objects = await readManifests(...OBJECTS);
  const policies = objects.filter(({ kind }) => kind === 'NetworkPolicy');
  t.deepEqual(policies.find(({ metadata }) => metadata.name === 'deny-all')?.['spec'], {
    podSelector: {},
    policyTypes: ['Ingress', 'Egress'],
  });
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
