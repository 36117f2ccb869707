package dev.seekr.config;

import com.fasterxml.jackson.core.JsonToken;
import dev.seekr.Failure;
import dev.seekr.config.Yaml.Node;
import dev.seekr.config.Yaml.Section;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Set;

/**
 * Reads a {@link RunConfig} from YAML files and {@code key=value} overrides. Keys are the
 * components of the records in snake_case ({@code train.micro_tokens}); what is not given keeps its
 * default. The value of an override is YAML too ({@code data.tasks=[a, b]}), but that texts are
 * taken as they are; the last override of a key wins. Relative paths in settings are relative to
 * the current directory, not to the file.
 *
 * <p>Everything that is wrong is reported in one {@link Failure}, a line for each, with the place
 * it was written at.
 */
public final class ConfigReader {
  /** Keys of settings that are texts. */
  private static final Set<String> TEXTS = texts();

  private final List<String> errors = new ArrayList<>(), unknown;

  private ConfigReader() {
    unknown = errors;
  }

  private ConfigReader(List<String> unknown) {
    this.unknown = unknown;
  }

  private static Set<String> texts() {
    var texts = new HashSet<String>();
    Records.leaves(
        RunConfig.DEFAULT,
        "",
        (path, component, _) -> {
          if (component.getType() == String.class) texts.add(path);
        });
    return Set.copyOf(texts);
  }

  /**
   * The settings of the files, each laid over those before it and the first over the defaults, with
   * {@code overrides} applied.
   */
  public static RunConfig read(List<Path> files, List<String> overrides) {
    var texts = files.stream().map(ConfigReader::load).toList();
    var names = files.stream().map(Path::toString).toList();
    return new ConfigReader().config(texts, names, overrides);
  }

  /** The settings in {@code text}; messages call it {@code name}. */
  public static RunConfig parse(String text, String name, List<String> overrides) {
    return new ConfigReader().config(List.of(text), List.of(name), overrides);
  }

  /**
   * The settings of a run that may have been made by another version: keys that are none now are
   * passed over.
   */
  public static RunConfig recorded(String text, String name) {
    return new ConfigReader(new ArrayList<>()).config(List.of(text), List.of(name), List.of());
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

  private RunConfig config(List<String> texts, List<String> names, List<String> overrides) {
    var settings = new Section("defaults", new LinkedHashMap<>());
    boolean readable = true;
    for (int i = 0; i < texts.size(); i++) {
      String name = names.get(i);
      Node root = Yaml.parse(texts.get(i), line -> name + ":" + line, errors);
      readable &= root instanceof Section;
      if (root instanceof Section section) lay(settings, section);
      else errors.add(root.at() + ": expected settings, 'key: value'");
    }
    if (readable) {
      overrides.forEach(override -> override(settings, override));
      var config = new Binder(errors, unknown).bind(settings, RunConfig.DEFAULT);
      if (errors.isEmpty()) return config;
    }
    var lines = errors.stream().map(Failure::plain).toList();
    throw new Failure(Failure.Exit.CONFIG, String.join("\n", lines));
  }

  /**
   * Puts all of {@code over} into {@code under}: sections key by key, all else in place of what is
   * there.
   */
  private static void lay(Section under, Section over) {
    over.entries()
        .forEach(
            (key, value) -> {
              if (under.entries().get(key) instanceof Section old && value instanceof Section now)
                lay(old, now);
              else under.entries().put(key, value);
            });
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
    String key = override.substring(0, equals).strip(), text = override.substring(equals + 1);
    Node value =
        literal(key, text)
            ? new Yaml.Scalar(at, JsonToken.VALUE_STRING, text)
            : Yaml.parse(text, line -> at, errors);
    if (override.substring(equals + 1).isBlank()) {
      errors.add(at + ": no value; write null to leave the choice to Seekr");
    }
    if (errors.size() > known) {
      return;
    }
    put(settings, key, value);
  }

  /** Texts are taken as they are, unless they are quoted, null or blank. */
  private static boolean literal(String key, String text) {
    if (text.isBlank() || text.equals("null") || text.startsWith("\"") || text.startsWith("'"))
      return false;
    return TEXTS.contains(key);
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
      lay(under, over);
    } else if (dot < 0 || old == null || Yaml.isNull(old)) {
      section.entries().put(key, value);
    } // else a section was expected where a value is written: reported at that value
  }
}
