/** What consoles show from now on, before a login: agetty(8) puts addresses in the place of \4 and \6. */
export function shown({ url, fingerprint, hostName }: { url: string; fingerprint: string; hostName: string }): string {
  return [
    `PenguinDome on ${hostName}   \\4 \\6`,
    `  URL of the server:             ${url}`,
    `  Fingerprint of its CA, SHA-256: ${fingerprint}`,
    `  A token that lets a machine in: ssh admin@${hostName} sudo penguindome enrollment token --approve --uses 1 --expires 1h`,
    '',
    '',
  ].join('\n');
}
