/** The errors that this system expects. Each has a stable code and a message for people, without secrets. */

/** Base of all expected errors. Any other error is a fault of this program. `cause` is the error behind it. */
export abstract class ExpectedError extends Error {
  abstract readonly code: string;
}

/** The action does not apply to the current state, and nothing was changed. The message says why, and what applies instead. */
export class PreconditionFailed extends ExpectedError {
  override name = "PreconditionFailed";
  readonly code = "precondition_failed";
}

/** Another worker wrote the subscription in the meantime, so the decision was made on outdated facts. */
export class VersionConflict extends ExpectedError {
  override name = "VersionConflict";
  readonly code = "version_conflict";
}

/** A read from billmgr that gave no reliable answer. `refused` is billmgr's error, if it sent one. */
export class ReadError extends ExpectedError {
  override name = "ReadError";
  readonly code = "read_failed";
  readonly refused: { type: string } | undefined;

  constructor(message: string, refused?: { type: string }, options?: ErrorOptions) {
    super(message, options);
    this.refused = refused;
  }
}
