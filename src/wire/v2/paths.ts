/** The endpoints of protocol v2 (docs/protocol.md). All are POST, and none takes a query. */
export const ENROLL = '/penguindome/v2/enroll';
export const SUBMIT = '/penguindome/v2/submit';
export const UPDATE = '/penguindome/v2/update';
