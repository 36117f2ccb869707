package dev.seekr.config;

import dev.seekr.Failure;
import dev.seekr.config.Yaml.Node;
import dev.seekr.config.Yaml.Section;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;

/**
 * Reads a {@link RunConfig} from a YAML file and {@code key=value} overrides. Keys are the
 * components of the records in snake_case ({@code train.micro_tokens}); what is not given keeps its
 * default. The value of an override is YAML too ({@code data.tasks=[a, b]}), and the last override
 * of a key wins. Relative paths in settings are relative to the current directory, not to the file.
 *
 * <p>Everything that is wrong is reported in one {@link Failure}, a line for each, with the place
 * it was written at.
 */
public final class ConfigReader {
  private final List<String> errors = new ArrayList<>();

  private ConfigReader() {}

  /**
   * The settings of {@code file}, or the defaults when it is null, with {@code overrides} applied.
   */
  public static RunConfig read(Path file, List<String> overrides) {
    return file == null
        ? parse("", "defaults", overrides)
        : parse(load(file), file.toString(), overrides);
  }

  /** The settings in {@code text}; messages call it {@code name}. */
  public static RunConfig parse(String text, String name, List<String> overrides) {
    return new ConfigReader().config(text, name, overrides);
  }

  private static String load(Path file) {
    if (!Files.isRegularFile(file)) {
      throw Failure.input("%s: no such settings file", file);
    }
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw Failure.config("%s: not UTF-8 text", file);
    } catch (IOException e) {
      throw Failure.input("%s: cannot be read: %s", file, e.getMessage());
    }
  }

  private RunConfig config(String text, String name, List<String> overrides) {
    Node root = Yaml.parse(text, line -> name + ":" + line, errors);
    if (root instanceof Section settings) {
      overrides.forEach(override -> override(settings, override));
      var config = new Binder(errors).bind(settings, RunConfig.DEFAULT);
      if (errors.isEmpty()) {
        return config;
      }
    } else {
      errors.add(root.at() + ": expected settings, 'key: value'");
    }
    throw new Failure(Failure.Exit.CONFIG, String.join("\n", errors));
  }

  /** Writes the value of {@code key=value} over the one in {@code settings}. */
  private void override(Section settings, String override) {
    String at = "override '%s'".formatted(override);
    int equals = override.indexOf('=');
    if (equals < 1) {
      errors.add(at + ": expected key=value, such as train.lr=1e-5");
      return;
    }
    int known = errors.size();
    Node value = Yaml.parse(override.substring(equals + 1), line -> at, errors);
    if (override.substring(equals + 1).isBlank()) {
      errors.add(at + ": no value; write null to leave the choice to Seekr");
    }
    if (errors.size() > known) {
      return;
    }
    put(settings, override.substring(0, equals).strip(), value);
  }

  /**
   * Puts {@code value} at a dotted path; a section given whole is laid over the one that is there,
   * key by key.
   */
  private static void put(Section section, String path, Node value) {
    int dot = path.indexOf('.');
    String key = dot < 0 ? path : path.substring(0, dot);
    Node old = section.entries().get(key);
    if (dot >= 0) {
      var rest = new Section(value.at(), new LinkedHashMap<>());
      put(rest, path.substring(dot + 1), value);
      value = rest;
    }
    if (old instanceof Section under && value instanceof Section over) {
      over.entries().forEach((inner, node) -> put(under, inner, node));
    } else if (dot < 0 || old == null || Yaml.isNull(old)) {
      section.entries().put(key, value);
    } // else a section was expected where a value is written: reported at that value
  }
}
