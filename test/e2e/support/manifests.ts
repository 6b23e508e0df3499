import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import * as z from 'zod';

export const FOLDER = 'appliance/kubernetes';

const object = z.looseObject({ kind: z.string(), metadata: z.object({ name: z.string() }) });
export type KubernetesObject = z.output<typeof object>;

/** All objects of these files. */
export async function readManifests(...names: string[]): Promise<KubernetesObject[]> {
  const texts = await Promise.all(names.map((name) => readFile(join(FOLDER, name), 'utf8')));
  return texts.flatMap((text) =>
    parseAllDocuments(text, { merge: true }).flatMap((document) => {
      if (document.errors.length > 0) throw new Error(document.errors.join('\n'));
      const value: unknown = document.toJS();
      return value === null ? [] : [object.parse(value)];
    }),
  );
}

const probe = z.looseObject({ exec: z.object({ command: z.array(z.string()) }) });

const container = z.looseObject({
  name: z.string(),
  command: z.array(z.string()),
  env: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
    readOnlyRootFilesystem: z.literal(true),
  }),
  resources: z.object({
    requests: z.object({ cpu: z.string(), memory: z.string() }),
    limits: z.object({ memory: z.string() }),
  }),
  volumeMounts: z.array(
    z.object({
      name: z.string(),
      mountPath: z.string(),
      subPath: z.string().optional(),
      readOnly: z.boolean().default(false),
    }),
  ),
  startupProbe: probe.optional(),
  readinessProbe: probe.optional(),
  livenessProbe: probe.optional(),
});
export type Container = z.output<typeof container>;

const volume = z.looseObject({
  name: z.string(),
  configMap: z.object({ name: z.string(), optional: z.boolean().default(false) }).optional(),
  secret: z.object({ secretName: z.string(), defaultMode: z.number() }).optional(),
  emptyDir: z.looseObject({}).optional(),
  persistentVolumeClaim: z.object({ claimName: z.string() }).optional(),
});
export type Volume = z.output<typeof volume>;

const podSpec = z.looseObject({
  automountServiceAccountToken: z.literal(false),
  securityContext: z.looseObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.number().min(1),
    runAsGroup: z.number().min(1),
    fsGroup: z.number().min(1),
    seccompProfile: z.object({ type: z.literal('RuntimeDefault') }),
  }),
  initContainers: z.array(container).default([]),
  containers: z.array(container),
  volumes: z.array(volume),
});
export type PodSpec = z.output<typeof podSpec>;

const template = z.looseObject({ spec: podSpec });
const workload = z.union([
  z
    .looseObject({ spec: z.looseObject({ jobTemplate: z.looseObject({ spec: z.looseObject({ template }) }) }) })
    .transform(({ spec }) => spec.jobTemplate.spec.template.spec),
  z.looseObject({ spec: z.looseObject({ template }) }).transform(({ spec }) => spec.template.spec),
]);

/** What its pods are to be: rights are part of the schema, so that one with more than these is none. */
export function podOf(objects: readonly KubernetesObject[], kind: string, name: string): PodSpec {
  return workload.parse(find(objects, kind, name));
}

const configMap = z.looseObject({ data: z.record(z.string(), z.string()) });

export function configMapOf(objects: readonly KubernetesObject[], name: string): Record<string, string> {
  return configMap.parse(find(objects, 'ConfigMap', name)).data;
}

function find(objects: readonly KubernetesObject[], kind: string, name: string): KubernetesObject {
  const found = objects.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}
