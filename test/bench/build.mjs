import { build } from 'esbuild';
import { root } from '../../packaging/install.mjs';

/** In the server that verifies by gpg, these files of ours are replaced. */
const BY_GPG = {
  'crypto/openpgp.ts': 'test/bench/gpg/openpgp.ts',
  'v2/verify-signature.ts': 'test/bench/gpg/verify-signature.ts',
};

const verifyByGpg = {
  name: 'verify-by-gpg',
  setup({ onResolve }) {
    onResolve({ filter: /\/(crypto\/openpgp|v2\/verify-signature)\.ts$/ }, ({ path, importer }) => {
      if (importer.includes('/test/bench/gpg/')) return undefined;
      const [, replacement] = Object.entries(BY_GPG).find(([end]) => path.endsWith(end));
      return { path: `${root}${replacement}` };
    });
  },
};

/** Builds what the bench runs beside the product: prepare, ceiling, fleet, load, looks, simulate, and the server that verifies by gpg. */
export async function buildBenches(outdir) {
  const common = {
    absWorkingDir: root,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    outExtension: { '.js': '.mjs' },
    define: { __VERSION__: '"0.0.0-bench"' },
    logLevel: 'warning',
    outdir,
  };
  await build({
    ...common,
    entryPoints: ['prepare', 'ceiling', 'fleet', 'load', 'looks', 'simulate'].map((name) => `test/bench/${name}.ts`),
  });
  await build({ ...common, entryPoints: { 'server-gpg': 'src/bin/penguindome-server.ts' }, plugins: [verifyByGpg] });
}
