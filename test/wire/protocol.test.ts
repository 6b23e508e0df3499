import { readFileSync } from 'node:fs';
import test from 'ava';
import { type ErrorCode, STATUS } from '../../src/core/errors.ts';
import { ROTATION_TYPE } from '../../src/wire/v2/answer-keys.ts';
import {
  ANSWER_COMPONENTS,
  ANSWER_KEY_HEADER,
  REQUEST_COMPONENTS,
  SEQUENCE_HEADER,
} from '../../src/wire/v2/http-signature.ts';
import * as messages from '../../src/wire/v2/messages.ts';
import { ORDER_ROTATION_TYPE } from '../../src/wire/v2/order-key.ts';
import * as orderMessages from '../../src/wire/v2/order-messages.ts';
import * as paths from '../../src/wire/v2/paths.ts';
import { MOST_REVOCATIONS, REVOCATIONS_TYPE } from '../../src/wire/v2/revocations.ts';

const text = readFileSync('docs/protocol.md', 'utf8');
const vectors = readFileSync('docs/vectors.json', 'utf8');

/** Said by v1's endpoints alone, or the name of an issue. */
const NOT_V2: readonly ErrorCode[] = [
  'signature-refused',
  'signature-too-old',
  'downgraded-identity',
  'duplicate-hostname',
  'not-implemented',
  'range-not-satisfiable',
  'login-required',
  'access-not-configured',
  'range-not-satisfiable',
];

test('docs/protocol.md lists each refusal with its status, and no others', (t) => {
  const rows = [...text.matchAll(/^\| (\d{3}) \| `([a-z-]+)` \| \S/gm)].map(([, status, code]) => [
    code,
    Number(status),
  ]);
  const known = Object.entries(STATUS).filter(([code]) => !NOT_V2.some((one) => one === code));
  t.deepEqual(Object.fromEntries(rows), Object.fromEntries(known));
  t.is(rows.length, known.length);
});

test('docs/protocol.md names every path, header, component and type of statement', (t) => {
  for (const path of Object.values(paths))
    t.true(text.includes(path) || text.includes(`/${path.split('/').at(-1)}\``), path);
  for (const header of [SEQUENCE_HEADER, ANSWER_KEY_HEADER])
    t.true(text.toLowerCase().includes(`\`${header}\``), header);
  t.true(text.includes(REQUEST_COMPONENTS.join(' ')));
  t.true(text.includes(ANSWER_COMPONENTS.join(' ')));
  for (const type of [ROTATION_TYPE, ORDER_ROTATION_TYPE, REVOCATIONS_TYPE]) t.true(text.includes(`"${type}"`), type);
  t.true(text.includes(`At most ${MOST_REVOCATIONS.toLocaleString('en')} entries`));
});

const { enrollRequest, enrollAnswer, submitRequest, submitAnswer, rotateRequest, rotateAnswer, refusalAnswer } =
  messages;
const { updateRequest, updateAnswer, filesRequest, filesAnswer, resultsRequest, resultsAnswer } = orderMessages;
for (const [name, { entries }] of Object.entries({
  enrollRequest,
  enrollAnswer,
  submitRequest,
  submitAnswer,
  updateRequest,
  updateAnswer,
  filesRequest,
  filesAnswer,
  resultsRequest,
  resultsAnswer,
  rotateRequest,
  rotateAnswer,
  refusalAnswer,
})) {
  test(`docs/protocol.md names the fields of ${name} together`, (t) => {
    const shown = [...text.matchAll(/`(\{"[^`]*\})`/g)].map(([, object]) => object ?? '');
    const fields = Object.keys(entries);
    t.true(
      shown.some((object) => fields.every((field) => object.includes(`"${field}"`))),
      fields.join(' '),
    );
  });
}

test('docs/protocol.md explains each part of the vectors', (t) => {
  for (const name of Object.keys(JSON.parse(vectors))) t.true(text.includes(`\`${name}\``), name);
});
