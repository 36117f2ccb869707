package dev.seekr.jinja;

/** What is wrong with a template, or with what it does; its place is added where it is caught. */
final class Fault extends RuntimeException {
  Fault(String message) {
    super(message, null, false, false);
  }

  static Fault of(String format, Object... args) {
    return new Fault(format.formatted(args));
  }
}
