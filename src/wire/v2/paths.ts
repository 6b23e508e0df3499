/** The endpoints of protocol v2 (docs/protocol.md). All are POST but KEYS, which is GET, and none takes a query. */
export const ENROLL = '/penguindome/v2/enroll';
export const SUBMIT = '/penguindome/v2/submit';
export const ROTATE = '/penguindome/v2/rotate';
export const UPDATE = '/penguindome/v2/update';
export const KEYS = '/penguindome/v2/keys';
export const FILES = '/penguindome/v2/files';
export const RESULTS = '/penguindome/v2/results';
