import { parseDocument, type ScalarTag } from 'yaml';
import { OperatorError } from '../../core/errors.ts';
import { EXIT } from '../exit-codes.ts';

/** PyYAML knows these words as booleans, and not the letters y and n, which may be somebody's name. */
const YES = /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const NO = /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const BOOLEANS: ScalarTag[] = [
  { tag: 'tag:yaml.org,2002:bool', identify: (value) => value === true, default: true, test: YES, resolve: () => true },
  {
    tag: 'tag:yaml.org,2002:bool',
    identify: (value) => value === false,
    default: true,
    test: NO,
    resolve: () => false,
  },
];

/** An alias that stands for aliases grows without end; no settings of an original need more. */
const ALIASES = 20;

/**
 * Reads YAML as the original does: version 1.1, as PyYAML has it.
 * @throws OperatorError naming file and line; a tag such as `!!python/object` is refused, for nothing here is ever made of it
 */
export function readYaml11(text: string, file: string): unknown {
  const document = parseDocument(text, {
    version: '1.1',
    prettyErrors: true,
    customTags: (tags) => [
      ...BOOLEANS,
      ...tags.filter((tag) => typeof tag === 'string' || tag.tag !== 'tag:yaml.org,2002:bool'),
    ],
  });
  const [fault] = [...document.errors, ...document.warnings];
  if (fault !== undefined) refuse(file, fault.message.split('\n')[0] ?? '', fault);
  try {
    return document.toJS({ maxAliasCount: ALIASES });
  } catch (cause) {
    return refuse(file, 'its aliases stand for too much', cause);
  }
}

function refuse(file: string, why: string, cause: unknown): never {
  const reason = why.replace(/:$/, '');
  throw new OperatorError(`cannot read ${file} as YAML: ${reason}; nothing was changed`, {
    exitCode: EXIT.notSetUp,
    cause,
  });
}
