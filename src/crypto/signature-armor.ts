/** As GnuPG, openpgp and Sequoia write it: headers, an empty line, base64 in lines, perhaps a checksum. */
const PLAIN =
  /^-----BEGIN PGP SIGNATURE-----\r?\n(?:(?:Version|Comment): [!-~][ -~]*\r?\n)*\r?\n((?:[A-Za-z0-9+/]{1,76}\r?\n)*[A-Za-z0-9+/]{1,76}={0,2})\r?\n(?:=[A-Za-z0-9+/]{4}\r?\n)?-----END PGP SIGNATURE-----(?:\r?\n)*$/;

/**
 * The bytes of an armored signature of the ordinary shape. openpgp takes ten times as long, line by line; nor does it check the checksum.
 * @returns undefined where openpgp should say what this is
 */
export function readPlainArmor(armored: string): Uint8Array | undefined {
  const body = PLAIN.exec(armored)?.[1]?.replaceAll(/[\r\n]/g, '');
  if (body === undefined || body.length % 4 !== 0) return undefined;
  return new Uint8Array(Buffer.from(body, 'base64'));
}
