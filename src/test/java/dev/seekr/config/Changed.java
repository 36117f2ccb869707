package dev.seekr.config;

/** Settings that differ from others in a few values, which need not be within their limits. */
public final class Changed {
  private Changed() {}

  /**
   * @param namesAndValues names of components, each before its value
   */
  public static <R extends Record> R of(R settings, Object... namesAndValues) {
    return Records.with(settings, namesAndValues);
  }
}
