package dev.seekr.config;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;

/**
 * Reads and makes records by reflection; settings are named nowhere but in the records of {@link
 * RunConfig}.
 */
final class Records {
  /** Takes a setting that is not a section. */
  interface Leaf {
    void visit(String path, RecordComponent component, Object value);
  }

  private Records() {}

  /** Visits every setting under {@code record}, in the order they are declared. */
  static void leaves(Record record, String path, Leaf leaf) {
    for (RecordComponent component : record.getClass().getRecordComponents()) {
      String key = Names.join(path, Names.key(component.getName()));
      Object value = get(record, component);
      if (value instanceof Record inner) {
        leaves(inner, key, leaf);
      } else {
        leaf.visit(key, component, value);
      }
    }
  }

  /** A record of settings with their defaults. */
  static <R extends Record> R defaults(Class<R> type) {
    var values = new ArrayList<>();
    for (RecordComponent component : type.getRecordComponents())
      values.add(
          component.getType().isRecord()
              ? defaults(component.getType().asSubclass(Record.class))
              : preset(component));
    return type.cast(create(type, values.toArray()));
  }

  private static Object preset(RecordComponent component) {
    var errors = new ArrayList<String>();
    String text = component.getAnnotation(Setting.class).is();
    var node = Yaml.parse(text, _ -> "default", errors);
    try {
      Object value =
          Yaml.isNull(node) ? null : YamlValues.convert(node, component.getGenericType());
      if (errors.isEmpty()) return value;
      throw new IllegalStateException(component + ": " + errors);
    } catch (YamlValues.Mismatch e) {
      throw new IllegalStateException(component + " " + e.getMessage(), e);
    }
  }

  static Object get(Record record, RecordComponent component) {
    try {
      return component.getAccessor().invoke(record);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(component + " cannot be read", e);
    }
  }

  /**
   * The same with a few values that differ.
   *
   * @param namesAndValues names of components, each before its value
   */
  static <R extends Record> R with(R record, Object... namesAndValues) {
    var values = new LinkedHashMap<String, Object>();
    for (RecordComponent component : record.getClass().getRecordComponents())
      values.put(component.getName(), get(record, component));
    for (int i = 0; i < namesAndValues.length; i += 2)
      if (values.replace((String) namesAndValues[i], namesAndValues[i + 1]) == null
          && !values.containsKey(namesAndValues[i]))
        throw new IllegalArgumentException("no setting " + namesAndValues[i]);
    @SuppressWarnings("unchecked") // of the same class
    R changed = (R) create(record.getClass(), values.values().toArray());
    return changed;
  }

  static Record create(Class<? extends Record> type, Object[] values) {
    Class<?>[] types =
        Arrays.stream(type.getRecordComponents())
            .map(RecordComponent::getType)
            .toArray(Class<?>[]::new);
    try {
      return type.getDeclaredConstructor(types).newInstance(values);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(type + " cannot be made", e);
    }
  }
}
