import { once } from 'node:events';
import { connect } from 'node:net';
import { BSON } from 'mongodb';

/** A document as bytes, which no driver would send: what old drivers have left in databases. */
export async function insertRaw(url: string, into: { database: string; collection: string }, document: Uint8Array) {
  const command = BSON.serialize({ insert: into.collection, $db: into.database, documents: [0] });
  // The list's one member, an int32 (type 0x10, name "0"), gives way to the document (type 0x03).
  const at = Buffer.from(command).indexOf(Buffer.from([0x10, 0x30, 0]));
  const body = Buffer.concat([
    command.subarray(0, at),
    Buffer.from([0x03, 0x30, 0]),
    document,
    command.subarray(at + 3 + 4),
  ]);
  body.writeInt32LE(body.length, 0);
  const list = body.indexOf('documents\0') + 'documents\0'.length;
  body.writeInt32LE(body.readInt32LE(list) + document.length - 4, list);
  const header = Buffer.alloc(16 + 4 + 1);
  header.writeInt32LE(header.length + body.length, 0);
  header.writeInt32LE(1, 4);
  // OP_MSG: no flags, one section of kind 0
  header.writeInt32LE(2013, 12);
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.end(Buffer.concat([header, body]));
  const [answer]: Buffer[] = await once(socket, 'data');
  const said = BSON.deserialize((answer ?? Buffer.alloc(0)).subarray(21));
  if (said['n'] !== 1) throw new Error(`cannot insert: ${JSON.stringify(said)}`);
}

/** A document whose text `text` is no UTF-8. */
export function badText(document: BSON.Document): Uint8Array {
  const bytes = Buffer.from(BSON.serialize(document));
  const at = bytes.indexOf('BAD');
  bytes[at] = 0xff;
  return bytes;
}
