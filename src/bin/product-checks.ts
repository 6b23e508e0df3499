import { fileURLToPath } from 'node:url';

/** The checks that come with the product lie beside the folder that the bundled programs lie in. */
export const PRODUCT_CHECKS = fileURLToPath(new URL('../checks.d', import.meta.url));
