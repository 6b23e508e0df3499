import { OperatorError } from '../core/errors.ts';
import type { AdminContext } from './context.ts';

/** Goes on where the operator says yes, or said --yes. @throws OperatorError where not */
export async function confirm({ output }: AdminContext, question: string, said: { yes?: boolean }): Promise<void> {
  if (said.yes === true) return;
  const answer = await output.ask(`${question} (yes/no)`, { flag: '--yes', default: 'no' });
  if (!['y', 'yes'].includes(answer.toLowerCase())) throw new OperatorError('nothing was changed');
}
