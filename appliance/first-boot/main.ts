// The first boot of an appliance (penguindome-first-boot.service): finds out what this one is to be, or asks, and makes it that.
import { messageOf } from '../../src/core/errors.ts';
import { apply } from './apply.ts';
import { askAnswers } from './ask-answers.ts';
import { openConsoles } from './consoles.ts';
import { findAnswers } from './find-answers.ts';

async function main(): Promise<void> {
  const consoles = openConsoles();
  const tell = (line: string) => {
    console.log(line);
    consoles.say(line);
  };
  try {
    const found = await findAnswers(tell).catch((error: unknown) => {
      // Asking is better than a machine that nobody can reach.
      tell(messageOf(error));
      return undefined;
    });
    const answers = found ?? (await askAnswers(consoles));
    tell('Making keys, CA, certificate and the store …');
    const text = await apply(answers);
    // What agetty would fill in.
    tell(text.replace(/ *\\4 \\6/, ''));
  } catch (error) {
    tell(`PenguinDome: the first boot failed, and is tried again at the next one: ${messageOf(error)}`);
    process.exitCode = 1;
  } finally {
    consoles.close();
  }
}

void main();
