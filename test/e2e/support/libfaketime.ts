import { existsSync } from 'node:fs';

const TRIPLETS: Partial<Record<NodeJS.Architecture, string>> = {
  arm64: 'aarch64-linux-gnu',
  x64: 'x86_64-linux-gnu',
};
const file = `/usr/lib/${TRIPLETS[process.arch]}/faketime/libfaketimeMT.so.1`;

/** The library of Debian's package libfaketime, where it is installed. */
export const LIBFAKETIME = existsSync(file) ? file : undefined;
