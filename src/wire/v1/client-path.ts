/** Paths below the original client's folder, as releases and patches name them (docs/protocol-v1.md, "Patches"). */
const SIGNATURES = 'signatures/';
const LONGEST = 200;

/** Where the signature of a file lies. */
export function signaturePath(path: string): string {
  return `${SIGNATURES}${path}.sig`;
}

/** Whether a release or a patch may hold that file: below `client/` or `penguindome/`, and nowhere else however it is read. */
export function isClientPath(path: string): boolean {
  const [top, ...rest] = path.split('/');
  if ((top !== 'client' && top !== 'penguindome') || rest.length === 0 || Buffer.byteLength(path) > LONGEST)
    return false;
  return (
    rest.every((part) => part !== '' && part !== '.' && part !== '..') && !/[\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(path)
  );
}

/** Of a one-time command: what hosts report its result under. */
export const COMMAND_NAME = /^[-A-Za-z0-9_]{1,128}$/;

export function commandPath(name: string): string {
  return `client/commands/${name}`;
}
