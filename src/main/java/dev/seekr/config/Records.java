package dev.seekr.config;

import java.lang.reflect.RecordComponent;
import java.util.Arrays;

/** Reads and makes records by reflection; settings are named nowhere but in {@link RunConfig}. */
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

  static Object get(Record record, RecordComponent component) {
    try {
      return component.getAccessor().invoke(record);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(component + " cannot be read", e);
    }
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
