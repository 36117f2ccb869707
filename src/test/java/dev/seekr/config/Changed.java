package dev.seekr.config;

import java.lang.reflect.RecordComponent;
import java.util.LinkedHashMap;
import java.util.List;

/** Settings that differ from others in a few values, which need not be within their limits. */
public final class Changed {
  private Changed() {}

  /**
   * @param namesAndValues names of components, each before its value
   */
  public static <R extends Record> R of(R settings, Object... namesAndValues) {
    var values = new LinkedHashMap<String, Object>();
    for (RecordComponent component : settings.getClass().getRecordComponents())
      values.put(component.getName(), Records.get(settings, component));
    List<String> names = List.copyOf(values.keySet());
    for (int i = 0; i < namesAndValues.length; i += 2) {
      if (!names.contains(namesAndValues[i]))
        throw new IllegalArgumentException("no setting " + namesAndValues[i]);
      values.put((String) namesAndValues[i], namesAndValues[i + 1]);
    }
    @SuppressWarnings("unchecked") // of the same class
    R changed = (R) Records.create(settings.getClass(), values.values().toArray());
    return changed;
  }
}
