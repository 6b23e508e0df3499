import { seconds } from '../../core/duration.ts';

/** Until we say that no server answers, or that the primary has no majority. */
export const SELECTION_TIMEOUT = seconds(3);
/** How often the driver asks whether the server lives. One that hangs is found out after this and SELECTION_TIMEOUT, and what waits for it fails. */
export const HEARTBEAT = seconds(2);
/** Until a write that is not confirmed by the majority, or an operation that gets no connection, fails. */
export const OPERATION_TIMEOUT = seconds(10);
/** Until nobody waits any longer for what the driver never answers (deadline.ts): above all that an operation may take. */
export const DEADLINE = seconds(20);
