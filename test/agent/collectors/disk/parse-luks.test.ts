import test from 'ava';
import { parseLuks1, parseLuks2 } from '../../../../src/agent/collectors/disk/parse-luks.ts';

const SEGMENT = {
  type: 'crypt',
  offset: '16777216',
  size: 'dynamic',
  iv_tweak: '0',
  encryption: 'aes-xts-plain64',
  sector_size: 512,
};
const slot = (kdf: string) => ({ type: 'luks2', key_size: 64, kdf: { type: kdf, salt: 'c2FsdA==' } });
const header = (keyslots: unknown, tokens: unknown = {}, segments: unknown = { 0: SEGMENT }) =>
  JSON.stringify({
    keyslots,
    tokens,
    segments,
    digests: { 0: { type: 'pbkdf2' } },
    config: { keyslots_size: '16744448' },
  });

const TOKENS: Record<string, { token: object; opens: object }> = {
  'systemd-cryptenroll --tpm2-device': {
    token: { type: 'systemd-tpm2', 'tpm2-blob': 'QQ==', 'tpm2-pcrs': [7], 'tpm2-pin': false },
    opens: { opened_by: 'tpm2', pin: false },
  },
  'systemd-cryptenroll --tpm2-device --tpm2-with-pin': {
    token: { type: 'systemd-tpm2', 'tpm2-blob': 'QQ==', 'tpm2-pcrs': [], 'tpm2-pin': true },
    opens: { opened_by: 'tpm2', pin: true },
  },
  'systemd-cryptenroll --fido2-device': {
    token: {
      type: 'systemd-fido2',
      'fido2-credential': 'QQ==',
      'fido2-clientPin-required': true,
      'fido2-up-required': true,
    },
    opens: { opened_by: 'fido2', pin: true },
  },
  'systemd-cryptenroll --pkcs11-token-uri': {
    token: { type: 'systemd-pkcs11', 'pkcs11-uri': 'pkcs11:x' },
    opens: { opened_by: 'pkcs11' },
  },
  'systemd-cryptenroll --recovery-key': { token: { type: 'systemd-recovery' }, opens: { opened_by: 'recovery' } },
  'clevis luks bind': { token: { type: 'clevis', jwe: {} }, opens: { opened_by: 'clevis' } },
  "cryptsetup's own, which only says where the passphrase may be found": {
    token: { type: 'luks2-keyring', key_description: 'x' },
    opens: { opened_by: 'passphrase' },
  },
};

for (const [what, { token, opens }] of Object.entries(TOKENS)) {
  test(`a slot by ${what}`, (t) => {
    const text = header({ 1: slot('pbkdf2'), 0: slot('argon2id') }, { 0: { ...token, keyslots: ['1'] } });
    t.deepEqual(parseLuks2(text), {
      cipher: 'aes-xts-plain64',
      slots: [
        { slot: 0, kdf: 'argon2id', opened_by: 'passphrase' },
        { slot: 1, kdf: 'pbkdf2', ...opens },
      ],
    });
  });
}

test('the work space of a re-encryption is no key slot, and of the segments the encrypted one counts', (t) => {
  const text = header(
    { 0: slot('argon2i'), 1: { type: 'reencrypt', mode: 'encrypt', direction: 'forward' } },
    {},
    {
      0: { type: 'linear', offset: '0' },
      1: SEGMENT,
    },
  );
  t.deepEqual(parseLuks2(text), {
    cipher: 'aes-xts-plain64',
    slots: [{ slot: 0, kdf: 'argon2i', opened_by: 'passphrase' }],
  });
});

test('the null cipher, which needs no key, is named', (t) => {
  const text = header({ 0: slot('pbkdf2') }, {}, { 0: { ...SEGMENT, encryption: 'cipher_null-ecb' } });
  t.is(parseLuks2(text)?.cipher, 'cipher_null-ecb');
});

for (const [what, text] of [
  ['nothing', ''],
  ['cut off', header({ 0: slot('argon2id') }).slice(0, -20)],
  ['no object', '[1]'],
  ['without segments', header({}, {}, {})],
  ['with a list for segments', header({}, {}, [SEGMENT])],
  ['bytes', '\0LUKS\xba\xbe'.repeat(50)],
] as const) {
  test(`what is ${what} is no header`, (t) => {
    t.is(parseLuks2(text), undefined);
    t.is(parseLuks1(text), undefined);
  });
}

test('members of the wrong kind are no slots', (t) => {
  const text = header({ 0: null, 1: 'x', 2: { kdf: 'pbkdf2' }, 3: { kdf: { type: 5 } } }, [1], { 0: SEGMENT });
  t.deepEqual(parseLuks2(text), { cipher: 'aes-xts-plain64', slots: [] });
});
