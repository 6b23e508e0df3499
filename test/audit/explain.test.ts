import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { explain } from '../../src/audit/explain.ts';
import { makeJudge } from '../../src/audit/judge.ts';
import { loadChecks } from '../../src/audit/load-checks.ts';
import type { Fields } from '../../src/core/value.ts';
import { folderOf } from './scratch.ts';

const AT = new Date('2026-03-02T10:00:00Z');

async function explained(t: ExecutionContext, text: string, document: Fields) {
  const { checks, problems } = await loadChecks([await folderOf(t, { 'x.yaml': `name: x\ntitle: X\n${text}` })]);
  t.deepEqual(problems, []);
  const [{ rule } = {}] = checks;
  if (rule === undefined) throw new Error('the check has no rule');
  return explain(rule, document, makeJudge(checks).judge(document, undefined, AT).results['x']);
}

test('the clauses of a query are told apart, with what was found', async (t) => {
  const query =
    'query:\n  plugins.a: 1\n  $or:\n    - plugins.b: 2\n    - { plugins.a: { $gt: 0 }, plugins.b: { $ne: 2 } }\n';
  const { decided_by, ...steps } = await explained(t, query, { plugins: { a: 1, b: 3 } });
  t.is(decided_by, 'query');
  t.deepEqual(steps.needs, [
    { path: 'plugins.a', found: 1, missing: null },
    { path: 'plugins.b', found: 3, missing: null },
  ]);
  t.deepEqual(steps.query, {
    holds: true,
    clauses: [
      { path: 'plugins.a', condition: 1, found: 1, holds: true },
      {
        operator: '$or',
        holds: true,
        of: [
          { holds: false, clauses: [{ path: 'plugins.b', condition: 2, found: 3, holds: false }] },
          {
            holds: true,
            clauses: [
              { path: 'plugins.a', condition: { $gt: 0 }, found: 1, holds: true },
              { path: 'plugins.b', condition: { $ne: 2 }, found: 3, holds: true },
            ],
          },
        ],
      },
    ],
  });
  t.like(steps, { applies_to: null, unknown: null, result: { answer: 'fail' } });
});

test('what an earlier step decides, no later one is asked', async (t) => {
  const query = 'query: { plugins.a: 1 }\n';
  t.like(await explained(t, `${query}applies_to: { hostname: lap }\n`, { hostname: 'desk' }), {
    decided_by: 'applies_to',
    applies_to: { holds: false },
    ...{ needs: null, unknown: null, query: null, result: null },
  });
  t.like(await explained(t, query, { plugins: { a: 'unknown' } }), {
    decided_by: 'needs',
    needs: [{ missing: 'the host says that it cannot tell plugins.a' }],
    ...{ query: null, result: { answer: 'unknown' } },
  });
  t.like(await explained(t, `${query}unknown: { plugins.b: 1 }\n`, { plugins: { a: 1, b: 1 } }), {
    decided_by: 'unknown',
    unknown: { holds: true },
    ...{ needs: null, query: null, result: { answer: 'unknown' } },
  });
});

test('what the engine cannot compare is neither yes nor no', async (t) => {
  const document = { plugins: { a: { constructor: { name: 5 } } } };
  t.like(await explained(t, 'query: { plugins.a: { $gt: 1 } }\n', document), {
    decided_by: 'fault',
    query: { holds: null, clauses: [{ holds: null }] },
    result: { answer: 'unknown' },
  });
});

test('the steps agree with the judge, whatever is reported and asked', async (t) => {
  const queries = [
    '{ plugins.a: 1 }',
    '{ plugins.a: { $ne: 1 } }',
    '{ $nor: [{ plugins.a: 1 }, { plugins.b: { $gt: 0 } }] }',
  ];
  const sets = await Promise.all(
    queries.flatMap((query) =>
      ['', 'unknown: { plugins.b: unknown }\n', 'applies_to: { plugins.b: { $exists: true } }\n'].map(async (more) => {
        const { checks } = await loadChecks([
          await folderOf(t, { 'x.yaml': `name: x\ntitle: X\nquery: ${query}\n${more}` }),
        ]);
        return { checks, judge: makeJudge(checks) };
      }),
    ),
  );
  const value = fc.constantFrom<Fields[string]>(0, 1, 'unknown', null, [1, 2], { constructor: { name: 5 } });
  const plugins = fc.record({ a: value, b: value }, { requiredKeys: [] });
  fc.assert(
    fc.property(fc.constantFrom(...sets), plugins, ({ checks, judge }, reported) => {
      const [{ rule } = {}] = checks;
      if (rule === undefined) throw new Error('the check has no rule');
      const document = { plugins: { ...reported } };
      const result = judge.judge(document, undefined, AT).results['x'];
      const { decided_by, query } = explain(rule, document, result);
      const expected =
        decided_by === 'applies_to' ? undefined : decided_by !== 'query' ? 'unknown' : query?.holds ? 'fail' : 'pass';
      t.is(result?.answer, expected, JSON.stringify([rule, reported, decided_by]));
    }),
  );
});
