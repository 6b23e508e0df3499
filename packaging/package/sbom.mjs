// The bill of materials of one package: CycloneDX 1.5, the same bytes for the same sources.
import { createHash } from 'node:crypto';

/** @param made as an ISO time */
export function billOfMaterials({ name, version, made, modules }) {
  const components = modules
    .map(componentOf)
    .sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : a['bom-ref'] > b['bom-ref'] ? 1 : 0));
  const whole = { type: 'application', 'bom-ref': name, name, version, licenses: [{ license: { id: 'Apache-2.0' } }] };
  const content = {
    metadata: { timestamp: made, component: whole },
    components,
    dependencies: [{ ref: name, dependsOn: components.map((each) => each['bom-ref']) }],
  };
  return { bomFormat: 'CycloneDX', specVersion: '1.5', serialNumber: serialOf(content), version: 1, ...content };
}

/** What packages write, and what it is called in the list of SPDX. */
const SPDX = { 'LGPL-3.0+': 'LGPL-3.0-or-later' };

function componentOf({ folder, name, version, license, integrity }) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  // a package that is there twice, in two places, is two components
  const ref = folder === `node_modules/${name}` ? purl : `${purl}?in=${folder}`;
  return {
    type: 'library',
    'bom-ref': ref,
    name,
    version,
    purl,
    licenses: [license.startsWith('(') ? { expression: license } : { license: { id: SPDX[license] ?? license } }],
    ...(integrity === undefined ? {} : { hashes: [hashOf(integrity)] }),
  };
}

function hashOf(integrity) {
  const [algorithm, value] = integrity.split(/-(.*)/s);
  return { alg: algorithm.replace(/^sha/, 'SHA-'), content: Buffer.from(value, 'base64').toString('hex') };
}

/** A UUID made of the content (RFC 9562, version 8). */
function serialOf(content) {
  const hex = createHash('sha256').update(JSON.stringify(content)).digest('hex');
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
