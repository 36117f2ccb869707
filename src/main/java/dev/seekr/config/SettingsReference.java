package dev.seekr.config;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Every setting with its meaning, what it may be and its default, from the records of {@link
 * RunConfig} alone: as settings with comments, as a page, and as a JSON schema for editors.
 */
public final class SettingsReference {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int COMMENT = 100;

  private SettingsReference() {}

  /** The defaults as YAML that can be read, a comment above each. */
  public static String yaml() {
    var text = new StringBuilder();
    yaml(text, RunConfig.DEFAULT, "");
    return text.toString();
  }

  private static void yaml(StringBuilder text, Record section, String indent) {
    for (RecordComponent c : section.getClass().getRecordComponents()) {
      String key = Names.key(c.getName());
      if (Records.get(section, c) instanceof Record inner) {
        text.append(indent).append(key).append(":\n");
        yaml(text, inner, indent + "  ");
        continue;
      }
      var s = c.getAnnotation(Setting.class);
      comment(text, indent, s.means() + " [" + allowed(c) + "]");
      text.append(indent).append(key).append(": ").append(s.is()).append('\n');
    }
  }

  private static void comment(StringBuilder text, String indent, String words) {
    var line = new StringBuilder(indent + "#");
    for (String word : words.split(" ")) {
      if (line.length() + 1 + word.length() > COMMENT) {
        text.append(line).append('\n');
        line = new StringBuilder(indent + "#");
      }
      line.append(' ').append(word);
    }
    text.append(line).append('\n');
  }

  /** What a setting may be, in words. */
  private static String allowed(RecordComponent component) {
    var s = component.getAnnotation(Setting.class);
    Class<?> type = component.getType();
    if (!choices(component).isEmpty()) {
      String choices = String.join(", ", choices(component));
      if (type == Map.class) return "a mapping from task to one of " + choices;
      return (type == List.class ? "one or more of " : "one of ") + choices;
    }
    // The largest number of a type is no news, and a text is one that is not empty.
    String kind = YamlValues.expected(type).replace(" up to " + Integer.MAX_VALUE, "");
    boolean plain = s.limit() == Limit.ANY || s.limit() == Limit.TEXT;
    return plain ? kind : kind + ", " + s.limit().rule;
  }

  /** A page in Markdown, a table a section. */
  public static String markdown() {
    var text =
        new StringBuilder(
            """
            # Settings

            Every key of a run's YAML file: meaning, allowed values and default. `./seekr info --config` prints the same as YAML. Keys marked * may be changed when
            a run is resumed. For checks and completion in an editor, begin a file with `# yaml-language-server: $schema=PATH/docs/seekr.schema.json`
            ([seekr.schema.json](seekr.schema.json)).
            """);
    markdown(text, RunConfig.DEFAULT, "");
    return text.toString();
  }

  private static void markdown(StringBuilder text, Record section, String path) {
    var leaves = new StringBuilder();
    var inner = new StringBuilder();
    for (RecordComponent c : section.getClass().getRecordComponents()) {
      String key = Names.join(path, Names.key(c.getName()));
      if (Records.get(section, c) instanceof Record record) {
        markdown(inner, record, key);
        continue;
      }
      var s = c.getAnnotation(Setting.class);
      leaves.append(
          "| `%s`%s | %s | %s | `%s` |\n"
              .formatted(
                  Names.key(c.getName()),
                  s.free() ? " *" : "",
                  cell(s.means()),
                  cell(allowed(c)),
                  s.is()));
    }
    if (!leaves.isEmpty())
      text.append("\n## ")
          .append(path)
          .append("\n\n| key | meaning | allowed values | default |\n| --- | --- | --- | --- |\n")
          .append(leaves);
    text.append(inner);
  }

  private static String cell(String words) {
    return words.replace("|", "\\|").replace("<", "&lt;");
  }

  /** A JSON schema, draft 2020-12. */
  public static String schema() {
    ObjectNode schema = section(RunConfig.DEFAULT);
    ObjectNode root = JSON.createObjectNode();
    root.put("$schema", "https://json-schema.org/draft/2020-12/schema");
    root.put("title", "Settings of a Seekr run");
    root.setAll(schema);
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(root) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ObjectNode section(Record section) {
    ObjectNode schema = JSON.createObjectNode();
    schema.putArray("type").add("object").add("null");
    schema.put("additionalProperties", false);
    ObjectNode properties = schema.putObject("properties");
    for (RecordComponent c : section.getClass().getRecordComponents()) {
      Object value = Records.get(section, c);
      properties.set(
          Names.key(c.getName()), value instanceof Record inner ? section(inner) : leaf(c, value));
    }
    return schema;
  }

  private static ObjectNode leaf(RecordComponent component, Object preset) {
    var s = component.getAnnotation(Setting.class);
    ObjectNode leaf = JSON.createObjectNode().put("description", s.means());
    ArrayNode types = leaf.putArray("type");
    ObjectNode elements = JSON.createObjectNode();
    Class<?> type = component.getType();
    if (type == List.class) {
      types.add("array");
      leaf.put("uniqueItems", true).set("items", elements.put("type", "string"));
    } else if (type == Map.class) {
      types.add("object");
      leaf.set("additionalProperties", elements.put("type", "string"));
    } else if (type == Epochs.class) {
      types.add("integer").add("array");
      limit(leaf, Limit.AT_LEAST_1);
      limit(elements.put("type", "integer"), Limit.AT_LEAST_1);
      leaf.set("items", elements);
    } else if (type == Duration.class) {
      types.add("string").add("number");
    } else {
      types.add(number(type));
      limit(leaf, s.limit());
    }
    if (preset == null) types.add("null");
    boolean many = type == List.class || type == Map.class;
    choices(many ? elements : leaf, choices(component), !many && preset == null);
    if (preset instanceof Number n && !(n instanceof Double)) leaf.put("default", n.longValue());
    if (preset instanceof Double d) leaf.put("default", d);
    if (preset instanceof Boolean b) leaf.put("default", b);
    if (preset instanceof String || preset instanceof Enum<?>)
      leaf.put("default", preset.toString());
    return leaf;
  }

  /** What a setting, or what a list or a mapping holds, may be; empty: anything of its type. */
  private static List<String> choices(RecordComponent component) {
    Class<?> element = YamlValues.element(component.getGenericType());
    return element.isEnum() ? YamlValues.names(element) : List.of();
  }

  private static void choices(ObjectNode leaf, List<String> names, boolean nullable) {
    if (names.isEmpty()) return;
    ArrayNode choices = leaf.putArray("enum");
    names.forEach(choices::add);
    if (nullable) choices.addNull();
  }

  private static String number(Class<?> type) {
    return switch (type.getSimpleName().toLowerCase(Locale.ROOT)) {
      case "int", "integer", "long" -> "integer";
      case "double" -> "number";
      case "boolean" -> "boolean";
      default -> "string";
    };
  }

  private static void limit(ObjectNode leaf, Limit limit) {
    switch (limit) {
      case AT_LEAST_1 -> leaf.put("minimum", 1);
      case AT_LEAST_0, SHARE_OR_COUNT -> leaf.put("minimum", 0);
      case ABOVE_0 -> leaf.put("exclusiveMinimum", 0);
      case SHARE -> leaf.put("minimum", 0).put("maximum", 1);
      case BELOW_1 -> leaf.put("minimum", 0).put("exclusiveMaximum", 1);
      case ORDER -> leaf.put("minimum", 0).put("maximum", 4);
      case THREADS -> leaf.put("minimum", 0).put("maximum", 1024);
      case TOKENS -> leaf.put("minimum", 1).put("maximum", 1 << 20);
      case TEXT -> leaf.put("minLength", 1);
      default -> {}
    }
  }
}
