// The one list of what goes where. debian/ and arch/ only say which folders UNITS and the like are with them (place.mjs).

/** Which folders have other names elsewhere. */
export const FAMILIES = {
  debian: { UNITS: 'usr/lib/systemd/system', ZSH: 'usr/share/zsh/vendor-completions' },
  arch: { UNITS: 'usr/lib/systemd/system', ZSH: 'usr/share/zsh/site-functions' },
  other: { UNITS: 'usr/lib/systemd/system', ZSH: 'usr/share/zsh/site-functions' },
};

const AGENT = 'usr/lib/penguindome/bin';
/** Checks are looked for beside the folder of the server's programs. */
const SERVER = 'usr/lib/penguindome/server';

/**
 * Package → rows of: what (a path in the payload, `*` stands for names, `/**` for all below), where to (a folder ends in /), and the mode
 * where that is not 644.
 */
export const PACKAGES = {
  'penguindome-agent': {
    rows: [
      ['programs/agent/penguindome-agent', `${AGENT}/`, 0o755],
      ['programs/agent/penguindome-agent.bundle.js', `${AGENT}/`],
      ['programs/agent/penguindome-agent.openpgp.js', `${AGENT}/`],
      ['programs/agent/penguindome-plugin-tool', `${AGENT}/`, 0o755],
      ['programs/agent/penguindome-tick', `${AGENT}/`, 0o755],
      ['programs/penguindome-node', `${AGENT}/node`, 0o755],
      ['systemd/penguindome-agent.target', 'UNITS/'],
      ['systemd/penguindome-apply.*', 'UNITS/'],
      ['systemd/penguindome-collect*', 'UNITS/'],
      ['systemd/penguindome-enroll.*', 'UNITS/'],
      ['systemd/penguindome-rotate-key.*', 'UNITS/'],
      ['systemd/penguindome-submit.*', 'UNITS/'],
      ['systemd/penguindome-online.rules', 'usr/share/polkit-1/rules.d/50-penguindome-online.rules'],
      ['systemd/penguindome-agent.sysusers', 'usr/lib/sysusers.d/penguindome-agent.conf'],
      ['systemd/penguindome-agent.tmpfiles', 'usr/lib/tmpfiles.d/penguindome-agent.conf'],
      ['man/penguindome-agent*.8', 'usr/share/man/man8/'],
      ['completions/penguindome-agent.bash', 'usr/share/bash-completion/completions/penguindome-agent'],
      ['completions/penguindome-agent.fish', 'usr/share/fish/vendor_completions.d/'],
      ['completions/penguindome-agent.zsh', 'ZSH/_penguindome-agent'],
      ['examples/agent.yml', 'DOC/examples/'],
      ['examples/plugins/*', 'DOC/examples/plugins/', 0o755],
      ['docs/collectors.md', 'DOC/'],
      ['docs/exit-codes.md', 'DOC/'],
      ['docs/orders.md', 'DOC/'],
      ['docs/plugins.md', 'DOC/'],
      ['docs/privacy.md', 'DOC/'],
      ['docs/trust.md', 'DOC/'],
      ['docs/wipe.md', 'DOC/'],
      ['sbom/penguindome-agent.cdx.json', 'DOC/'],
    ],
    links: { 'usr/bin/penguindome-agent': `../../${AGENT}/penguindome-agent` },
  },
  'penguindome-server': {
    rows: [
      ['programs/server/penguindome', `${SERVER}/`, 0o755],
      ['programs/server/penguindome-server', `${SERVER}/`, 0o755],
      ['programs/penguindome-node', `${SERVER}/node`, 0o755],
      ['node_modules/**', `${SERVER}/node_modules/`],
      ['bootstrap/agent.tar', 'usr/share/penguindome/bootstrap/'],
      ['bootstrap/install.sh', 'usr/share/penguindome/bootstrap/', 0o755],
      ['checks.d/*', 'usr/share/penguindome/checks.d/'],
      ['systemd/penguindome-audit.*', 'UNITS/'],
      ['systemd/penguindome-backup.*', 'UNITS/'],
      ['systemd/penguindome-certificates.*', 'UNITS/'],
      ['systemd/penguindome-server.service', 'UNITS/'],
      ['systemd/penguindome-server.sysusers', 'usr/lib/sysusers.d/penguindome-server.conf'],
      ['systemd/penguindome-server.tmpfiles', 'usr/lib/tmpfiles.d/penguindome-server.conf'],
      ['man/penguindome-server.8', 'usr/share/man/man8/'],
      ['man/penguindome*.1', 'usr/share/man/man1/'],
      ['completions/penguindome.bash', 'usr/share/bash-completion/completions/penguindome'],
      ['completions/penguindome.fish', 'usr/share/fish/vendor_completions.d/'],
      ['completions/penguindome.zsh', 'ZSH/_penguindome'],
      ['docs/*.md', 'DOC/'],
      ['sbom/penguindome-server.cdx.json', 'DOC/'],
    ],
    links: {
      'usr/bin/penguindome': `../../${SERVER}/penguindome`,
      'usr/bin/penguindome-server': `../../${SERVER}/penguindome-server`,
      'usr/lib/penguindome/checks.d': '../../share/penguindome/checks.d',
    },
  },
  'penguindome-runtime': {
    rows: [
      ['runtime/node', 'usr/lib/penguindome/runtime/bin/node', 0o755],
      ['sbom/penguindome-runtime.cdx.json', 'DOC/'],
    ],
    links: {},
  },
};
