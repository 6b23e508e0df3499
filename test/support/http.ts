import { type Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request as plain } from 'node:http';
import { request as secure } from 'node:https';

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface HttpRequest {
  method?: string;
  headers?: OutgoingHttpHeaders;
  body?: Uint8Array | string;
  /** PEM */
  ca?: string;
  /** keeps connections open */
  agent?: Agent;
}

/** One request, sent as given; on a connection of its own where no agent is given. */
export function httpRequest(
  url: string,
  { method = 'GET', headers = {}, body, ca, agent }: HttpRequest,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const options = { method, headers, agent: agent ?? (false as const), ...(ca === undefined ? {} : { ca }) };
    const request = (url.startsWith('https:') ? secure : plain)(url, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}
