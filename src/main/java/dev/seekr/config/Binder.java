package dev.seekr.config;

import dev.seekr.config.Yaml.Node;
import dev.seekr.config.Yaml.Section;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes records of YAML sections: a component of record type is a section, any other a value that
 * is converted to its type by {@link YamlValues} and held against its {@link Setting}. What is
 * wrong is added to the errors and its default kept, so that one pass finds all.
 */
final class Binder {
  private final List<String> errors, unknown;
  private final List<String> allKeys = new ArrayList<>();

  Binder(List<String> errors) {
    this(errors, errors);
  }

  /**
   * @param unknown what is said of keys that no component has
   */
  Binder(List<String> errors, List<String> unknown) {
    this.errors = errors;
    this.unknown = unknown;
  }

  /** The whole configuration: {@code defaults} with the settings of {@code root} laid over. */
  <R extends Record> R bind(Section root, R defaults) {
    Records.leaves(defaults, "", (path, component, value) -> allKeys.add(path));
    @SuppressWarnings("unchecked") // section() returns the class of its defaults
    R bound = (R) section(root, defaults, "");
    return bound;
  }

  private Record section(Section section, Record defaults, String path) {
    var values = new LinkedHashMap<String, Object>();
    var components = new LinkedHashMap<String, RecordComponent>();
    for (RecordComponent component : defaults.getClass().getRecordComponents()) {
      String key = Names.key(component.getName());
      components.put(key, component);
      values.put(key, Records.get(defaults, component));
    }
    section
        .entries()
        .forEach(
            (key, node) -> {
              String keyPath = Names.join(path, key);
              RecordComponent component = components.get(key);
              if (component == null) {
                unknown.add(
                    "%s: unknown key '%s'%s"
                        .formatted(node.at(), keyPath, meant(path, key, components)));
              } else if (values.get(key) instanceof Record inner) {
                values.put(key, inner(node, inner, keyPath));
              } else {
                values.put(key, value(node, component, keyPath, values.get(key)));
              }
            });
    return Records.create(defaults.getClass(), values.values().toArray());
  }

  private Record inner(Node node, Record defaults, String path) {
    if (node instanceof Section section) {
      return section(section, defaults, path);
    }
    if (!Yaml.isNull(node)) { // a section all of whose lines are commented out is null
      errors.add(
          "%s: '%s' is a section; expected keys such as '%s' below it"
              .formatted(
                  node.at(),
                  path,
                  Names.key(defaults.getClass().getRecordComponents()[0].getName())));
    }
    return defaults;
  }

  private String meant(String path, String key, Map<String, RecordComponent> siblings) {
    Optional<String> found =
        Names.nearest(key, siblings.keySet())
            .map(sibling -> Names.join(path, sibling))
            .or(
                () ->
                    allKeys.stream()
                        .filter(known -> known.endsWith("." + key))
                        .min(Comparator.comparingInt(String::length)));
    return found
        .map(known -> "; did you mean '" + known + "'?")
        .orElse("; expected one of " + String.join(", ", siblings.keySet()));
  }

  private Object value(Node node, RecordComponent component, String path, Object preset) {
    try {
      if (Yaml.isNull(node) && !component.getType().isPrimitive() && preset == null) {
        return null;
      }
      var setting = component.getAnnotation(Setting.class);
      Object value = converted(node, component, setting.formerly());
      if (!setting.limit().holds(value)) throw wrong(setting.limit().rule, value);
      return value;
    } catch (YamlValues.Mismatch e) {
      errors.add("%s: '%s' %s".formatted(node.at(), path, e.getMessage()));
      return preset;
    }
  }

  /** What a value was called once it may still be called. */
  private static Object converted(Node node, RecordComponent component, String[] formerly)
      throws YamlValues.Mismatch {
    for (String pair : formerly) {
      String[] was = pair.split("=");
      if (node instanceof Yaml.Scalar scalar && scalar.text().equals(was[0]))
        return YamlValues.constant(was[1], component.getType());
    }
    return YamlValues.convert(node, component.getGenericType());
  }

  private static YamlValues.Mismatch wrong(String rule, Object value) {
    boolean tooFine = value instanceof Double d && d != d.floatValue();
    String as = tooFine ? ", which as a 32-bit float is " + ((Double) value).floatValue() : "";
    return new YamlValues.Mismatch("must be %s, but is %s%s".formatted(rule, value, as));
  }
}
