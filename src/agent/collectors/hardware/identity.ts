import { type Fact, unknown } from '../group.ts';
import { namesIn, textOf } from '../lenient.ts';

const FOLDER = '/sys/class/dmi/id';
/** What makers leave in fields that nobody filled. */
const NOTHING =
  /^(|none|n\/a|not (applicable|specified|available|present)|default string|to be filled by o\.?e\.?m\.?|system (serial number|product name|manufacturer)|chassis (serial number|asset tag)|asset.?tag|no asset (tag|information)|unknown|0+|x+)$/i;

/** What `dmidecode` shows of the machine as a whole, as the kernel has it. */
export const identity: Fact = {
  name: 'identity',
  look: async (host) => {
    // No firmware that tells: ARM boards, some virtual machines.
    if (!(await namesIn(host, FOLDER))?.length) return undefined;
    const value = async (file: string) => {
      const text = (await textOf(host, `${FOLDER}/${file}`))?.trim();
      return text === undefined || NOTHING.test(text) ? undefined : text;
    };
    const [vendor, product, asset] = await Promise.all(['sys_vendor', 'product_name', 'chassis_asset_tag'].map(value));
    const serial = host.isRoot ? await value('product_serial') : unknown('the serial number can be read by root alone');
    return {
      ...(vendor === undefined ? {} : { vendor }),
      ...(product === undefined ? {} : { product }),
      ...(serial === undefined ? {} : { serial }),
      ...(asset === undefined ? {} : { asset_tag: asset }),
    };
  },
};
