export interface PatchFile {
  /** relative to the client's folder */
  path: string;
  /** permission bits; 0 removes the file */
  mode: number;
  /** base64; absent where the file is removed */
  content?: string;
}

/** Collection `patches`, as the original writes it. */
export interface Patch {
  /** 24 hex digits */
  id: string;
  files: PatchFile[];
  pending_hosts: string[];
  completed_hosts: string[];
}

/** What our own server made a patch for. */
export const PATCH_PURPOSES = ['command', 'patch', 'migration'] as const;
export type PatchPurpose = (typeof PATCH_PURPOSES)[number];

/** A patch with what is told about it. Its files come without their content where it is one of a list. */
export interface PatchRecord extends Patch {
  submitted_at: Date;
  /** absent in one that the original made */
  purpose?: PatchPurpose;
  /** of `command` and `migration`: what hosts report its result under */
  command?: string;
  by?: string;
  why?: string;
  /** that had not applied it when it was cancelled */
  cancelled_hosts: string[];
}
