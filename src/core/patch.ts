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
