/** Protocol v1 lives under both spellings (the original changed its own); what follows is the endpoint. */
export const PREFIXES = ['/penguindome/v1', '/PenguinDome/v1'] as const;

export const SUBMIT = '/submit';
export const UPDATE = '/update';
export const ACKNOWLEDGE_PATCH = '/acknowledge_patch';
export const DOWNLOAD_RELEASE = '/download_release';
export const PIPE_CREATE = '/server_pipe/server/create';
/** The others */
export const PIPES = [
  '/server_pipe/client/open',
  '/server_pipe/server/send',
  '/server_pipe/client/send',
  '/server_pipe/server/receive',
  '/server_pipe/client/receive',
  '/server_pipe/server/close',
  '/server_pipe/client/close',
] as const;
