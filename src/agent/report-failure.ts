import { messageOf, OperatorError } from '../core/errors.ts';
import type { Output } from './context.ts';
import { EXIT } from './exit-codes.ts';
import { hasCode } from './has-code.ts';
import { adviceOn, exitFor, RequestProblem } from './problem.ts';

/** Says why a command failed. @returns the exit status */
export function reportFailure(output: Output, error: unknown): number {
  const { code, exit, advice } = kindOf(error);
  const reason = messageOf(error);
  output.note(`penguindome-agent: ${reason}`);
  if (advice !== undefined) output.note(`  ${advice}`);
  output.json({ error: code, reason, ...(advice === undefined ? {} : { advice }) });
  return exit;
}

function kindOf(error: unknown): { code: string; exit: number; advice?: string } {
  if (error instanceof RequestProblem) {
    return { code: error.code, exit: exitFor(error.code), advice: adviceOn(error.code) };
  }
  if (error instanceof OperatorError) return { code: 'failed', exit: error.exitCode };
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (hasCode(cause, 'EACCES', 'EPERM')) {
    return {
      code: 'failed',
      exit: EXIT.failed,
      advice: 'run this as root, or with --state DIR to keep everything in a folder of your own',
    };
  }
  return { code: 'failed', exit: EXIT.failed };
}
