// npm run package: builds what a package manager installs, as a normal user, into build/packages.
import { parseArgs } from 'node:util';
import { installPackages, root } from './install.mjs';

const HELP = `npm run package -- deb | arch | payload DIR | repository DIR --sign KEY

  deb         Debian packages into build/packages/deb (dpkg-dev, debhelper)
  arch        Arch packages into build/packages/arch (makepkg)
  payload DIR what both are made of, unpacked
  repository DIR --sign KEY
              a signed apt repository and a signed pacman repository of what was built, in DIR/deb and DIR/arch
              (gpg, apt-ftparchive, repo-add). KEY: a file with a secret OpenPGP key, or the name of one in your own keyring

Options:
  --output DIR   instead of build/packages
  --runtime      also penguindome-runtime: a Node for systems whose own is too old, fetched from the npm registry

The same sources give the same bytes: times are SOURCE_DATE_EPOCH, else that of the last commit, else of debian/changelog.`;

function readOptions() {
  return parseArgs({
    allowPositionals: true,
    options: {
      help: { type: 'boolean', short: 'h' },
      output: { type: 'string', default: `${root}build/packages` },
      runtime: { type: 'boolean', default: false },
      sign: { type: 'string' },
    },
  });
}

async function main() {
  const { values, positionals } = readOptions();
  const [kind, folder] = positionals;
  if (values.help) return console.log(HELP);
  await installPackages();
  const { epochOf } = await import('./package/epoch.mjs');
  const options = { ...values, epoch: await epochOf() };
  switch (kind) {
    case 'payload': {
      const { makePayload } = await import('./package/payload.mjs');
      return makePayload(required(folder, 'payload'), options);
    }
    case 'deb':
    case 'arch': {
      const { buildPackages } = await import('./package/build-packages.mjs');
      for (const file of await buildPackages(kind, options)) console.log(file);
      return;
    }
    case 'repository': {
      const { makeRepositories } = await import('./package/repository.mjs');
      return makeRepositories(required(folder, 'repository'), { ...options, key: required(values.sign, '--sign') });
    }
    default:
      throw new UsageError(kind === undefined ? 'say what to build' : `cannot build ${kind}`);
  }
}

class UsageError extends Error {}

function required(value, of) {
  if (value === undefined) throw new UsageError(`${of} needs a value`);
  return value;
}

main().catch((error) => {
  const usage = error instanceof UsageError || error.code?.startsWith?.('ERR_PARSE_ARGS');
  console.error(`package: ${error.message}${usage ? `\n\n${HELP}` : ''}`);
  process.exitCode = usage ? 2 : 1;
});
