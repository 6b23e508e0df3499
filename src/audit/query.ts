import { Context } from 'mingo/core';
import { $all, $elemMatch, $size } from 'mingo/operators/query/array';
import { $eq, $gt, $gte, $in, $lt, $lte, $ne, $nin } from 'mingo/operators/query/comparison';
import { $type } from 'mingo/operators/query/element';
import { $mod, $regex } from 'mingo/operators/query/evaluation';
import { $and, $nor, $not, $or } from 'mingo/operators/query/logical';
import { Query } from 'mingo/query';
import type { Fields } from '../core/value.ts';
import { exists } from './exists.ts';

/** A check's query, ready to be asked of documents. */
export interface Predicate {
  /** @throws where a document holds what the engine cannot compare, such as an object whose `constructor` is one */
  matches(document: Fields): boolean;
}

/** Nothing that runs code ($where, $expr, $function) or reaches beyond the document is in here, so none can be named. */
const OPERATORS = Context.init({
  query: {
    $all,
    $and,
    $elemMatch,
    $eq,
    $exists: exists,
    $gt,
    $gte,
    $in,
    $lt,
    $lte,
    $mod,
    $ne,
    $nin,
    $nor,
    $not,
    $or,
    $regex,
    $size,
    $type,
  },
});

/** @param query one that `queryFaults` finds nothing wrong with */
export function compileQuery(query: Record<string, unknown>): Predicate {
  const compiled = new Query(query, { context: OPERATORS, scriptEnabled: false });
  return { matches: (document) => compiled.test(document) };
}
