package dev.seekr.run;

import dev.seekr.Failure;

/** A run cannot go on since its own files are not as it wrote them: it can only begin anew. */
public final class Damaged extends Failure {
  Damaged(Exit exit, String message) {
    super(exit, message);
  }

  /** The same fault, found in a run's own files. */
  Damaged(Failure cause) {
    super(Exit.DATA, cause.getMessage() + "; begin anew with train --fresh", cause);
  }
}
