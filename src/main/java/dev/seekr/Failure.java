package dev.seekr;

/**
 * Something the user can act on: one message that says what happened, where, what was expected and
 * what to do, and the exit status that goes with it. Anything else that is thrown is a defect of
 * Seekr (exit 70).
 */
public class Failure extends RuntimeException {
  /** Exit statuses, as in BSD's sysexits. */
  public enum Exit {
    USAGE(64),
    DATA(65),
    INPUT(66),
    BACKEND(69),
    INTERNAL(70),
    CREATE(73),
    IO(74),
    RETRY(75),
    CONFIG(78);

    public final int code;

    Exit(int code) {
      this.code = code;
    }
  }

  public final Exit exit;

  public Failure(Exit exit, String message) {
    super(message);
    this.exit = exit;
  }

  public Failure(Exit exit, String message, Throwable cause) {
    super(message, cause);
    this.exit = exit;
  }

  /** Malformed data: exit 65. */
  public static Failure data(String format, Object... args) {
    return new Failure(Exit.DATA, format.formatted(args));
  }

  /** A file that is not there or cannot be read: exit 66. */
  public static Failure input(String format, Object... args) {
    return new Failure(Exit.INPUT, format.formatted(args));
  }

  /** A wrong setting: exit 78. */
  public static Failure config(String format, Object... args) {
    return new Failure(Exit.CONFIG, format.formatted(args));
  }
}
