// debian/copyright of one package (machine-readable, DEP-5): ours, and that of every module in it, as these modules say it themselves.

const COMMON = {
  'Apache-2.0': ['Apache-2.0', /Apache License\s+Version 2\.0, January 2004/],
  'LGPL-3.0+': ['LGPL-3', /GNU LESSER GENERAL PUBLIC LICENSE\s+Version 3/],
};

const HEAD = `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: PenguinDome
Source: https://github.com/quantopian/PenguinDome
Comment: The modules below are part of the programs, or beside them in node_modules.

Files: *
Copyright: the PenguinDome maintainers
License: Apache-2.0
`;

/** What was compiled into the binaries of native modules, which carry no file of their own for it. */
const COMPILED_IN = {
  'node_modules/argon2': [
    'phc-winner-argon2',
    '2015 Daniel Dinu, Dmitry Khovratovich, Jean-Philippe Aumasson, and Samuel Neves',
    'Apache-2.0',
  ],
  'node_modules/libsql': ['libSQL, and SQLite, which is in the public domain', '2023 the libSQL authors', 'MIT~libsql'],
  'node_modules/sodium-native': ['libsodium', '2013-2025 Frank Denis', 'ISC'],
};

/** Texts that every Debian system has. */
const TEXTS = `
License: Apache-2.0
 On Debian systems, the full text is in /usr/share/common-licenses/Apache-2.0.

License: LGPL-3.0+
 On Debian systems, the full text is in /usr/share/common-licenses/LGPL-3.
`;

const ISC = `
License: ISC
 Permission to use, copy, modify, and/or distribute this software for any
 purpose with or without fee is hereby granted, provided that the above
 copyright notice and this permission notice appear in all copies.
 .
 THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
`;

export function copyrightFile(modules) {
  const compiled = modules.flatMap(({ folder }) => (folder in COMPILED_IN ? [compiledIn(folder)] : []));
  return HEAD + [...modules.map(stanzaOf), ...compiled].join('') + TEXTS + (compiled.length > 0 ? ISC : '');
}

function compiledIn(folder) {
  const [what, holders, license] = COMPILED_IN[folder];
  return `\nFiles: ${folder}/prebuilds/*\nCopyright: ${holders}\nLicense: ${license}\nComment: ${what}, in the binary\n`;
}

/** Where several licenses are offered, the one that we take, and where its text ends. */
const TAKEN = { 'node-forge': ['BSD-3-Clause', /\n[^\n]*GNU GENERAL PUBLIC LICENSE/] };

function stanzaOf(module) {
  const { folder, name, version } = module;
  const [license = module.license, end] = TAKEN[name] ?? [];
  const whole = module.text ?? '';
  const text = end === undefined ? whole : whole.split(end)[0];
  const holders = (text.match(/^\W*copyright\b.*\d{4}.*$/gim) ?? []).map((line) => line.replace(/^\W+/, '').trim());
  const common = COMMON[license]?.[1].test(text) === true || (license in COMMON && text === '');
  const lines = [
    '',
    `Files: ${folder}/*`,
    `Copyright: ${holders.length === 0 ? `the authors of ${name}` : [...new Set(holders)].map((line) => line.replace(/^copyright\s*/i, '')).join('\n ')}`,
    common ? `License: ${license}` : `License: ${shortName(license, folder)}`,
    ...(common ? [] : bodyOf(text === '' ? `The package says: ${license}.` : text)),
    `Comment: ${name} ${version}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Each has its text of its own, with its own names in it. */
function shortName(license, folder) {
  const plain = license.replace(/[()]/g, '').replace(/ OR /g, ' or ');
  return `${plain.split(' ')[0]}~${folder
    .replace(/^node_modules\//, '')
    .replace(/[^A-Za-z0-9.]+/g, '-')
    .replace(/^-/, '')}`;
}

function bodyOf(text) {
  return text
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line.trimEnd()}`));
}
