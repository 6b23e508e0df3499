/** One thing that is to be as the original has it. Planning has looked at everything already, and refused what cannot be. */
export interface PlannedStep {
  what: string;
  path: string;
  /** false: it is as it should be, and `run` is not called */
  needed: boolean;
  run(): Promise<void>;
}

/** What an operator should know beside the steps: what was left as it is, and why. */
export type Remark = string;

export interface Planned {
  steps: PlannedStep[];
  remarks: Remark[];
}
