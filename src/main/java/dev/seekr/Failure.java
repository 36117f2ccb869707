package dev.seekr;

import java.util.regex.Pattern;

/**
 * Something the user can act on: one message that says what happened, where, what was expected and
 * what to do, and the exit status that goes with it. Anything else that is thrown is a defect of
 * Seekr (exit 70). What a message quotes stays on its line, see {@link #plain}.
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

  /** Characters of a long text that are shown of its beginning and of its end. */
  private static final int HEAD = 600, TAIL = 300;

  /** What ends a line, or tells a terminal something. */
  private static final Pattern BREAKS = Pattern.compile("[\\p{Cc}\\u2028\\u2029]");

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
    return new Failure(Exit.DATA, line(format, args));
  }

  /** A file that is not there or cannot be read: exit 66. */
  public static Failure input(String format, Object... args) {
    return new Failure(Exit.INPUT, line(format, args));
  }

  /** A wrong setting: exit 78. */
  public static Failure config(String format, Object... args) {
    return new Failure(Exit.CONFIG, line(format, args));
  }

  /** Names and texts from files stand in messages; whatever is in them, a message is one line. */
  private static String line(String format, Object... args) {
    var plain = new Object[args.length];
    for (int i = 0; i < args.length; i++)
      plain[i] = args[i] == null || args[i] instanceof Number ? args[i] : plain("" + args[i]);
    return format.formatted(plain);
  }

  /**
   * A text from outside as it can stand in a message: on one line, with control characters shown as
   * what they are, and of a long one its ends.
   */
  public static String plain(String text) {
    String shown = text;
    if (text.length() > HEAD + TAIL + 100)
      shown =
          "%s... (%d characters) ...%s"
              .formatted(
                  text.substring(0, HEAD), text.length(), text.substring(text.length() - TAIL));
    return BREAKS.matcher(shown).replaceAll(m -> "\\\\u%04x".formatted((int) m.group().charAt(0)));
  }
}
